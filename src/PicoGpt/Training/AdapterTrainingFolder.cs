using System.Globalization;
using PicoGpt.Adapters;
using PicoGpt.Files;
using PicoGpt.Store;

namespace PicoGpt.Training;

/// <summary>
/// The folder of a training of low-rank adapters: the adapter as PEFT keeps it, and the last two checkpoints, each the adapter with the
/// moments of its gradient and a journal. A checkpoint is there when its journal is, which is written after it.
/// </summary>
/// <param name="folder">The full path.</param>
internal sealed class AdapterTrainingFolder(string folder) : ITrainingFolder
{
    private const string CheckpointName = "training-", JournalSuffix = ".json", StateSuffix = ".safetensors";

    public void Save(Gpt2Model model, Trainer trainer, TrainingJournal journal, int best, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        LowRankAdapter adapter = model.Adapter!;
        string? digest = model.Parameters.VectorDigest;
        try
        {
            Directory.CreateDirectory(folder);
            Delete(Steps().Where(step => step > journal.Step)); // of a training that was here before this one
            AdapterFile.Write(PathOf(journal.Step, StateSuffix), adapter, digest, trainer.AdapterMoments);
            journal.Save(PathOf(journal.Step, JournalSuffix));
            WriteAdapter(model, adapter, digest);
            Delete(Steps().Where(step => step < journal.Step).Order().SkipLast(1).Where(step => step != best));
        }
        catch (Exception fault) when (UnwritableFile.IsFault(fault))
        {
            throw UnwritableFile.Refused(folder, fault);
        }
    }

    public bool Has(int step) => File.Exists(PathOf(step, JournalSuffix)) && File.Exists(PathOf(step, StateSuffix));

    public void ReturnTo(Gpt2Model model, Trainer trainer, int step)
    {
        Read(model, trainer, step);
        try
        {
            WriteAdapter(model, model.Adapter!, model.Parameters.VectorDigest);
            Delete(Steps().Where(later => later > step));
        }
        catch (Exception fault) when (UnwritableFile.IsFault(fault))
        {
            throw UnwritableFile.Refused(folder, fault);
        }
    }

    public TrainingJournal ReadJournal() => Steps().OrderDescending().FirstOrDefault(-1) is var newest and >= 0
        ? TrainingJournal.Load(PathOf(newest, JournalSuffix))
        : throw new Gpt2Exception(
            Gpt2Error.FileNotFound, $"'{folder}' holds an adapter, and no training of it that could be resumed.", folder);

    public void Read(Gpt2Model model, Trainer trainer, int step)
    {
        (LowRankAdapter first, LowRankAdapter second) = trainer.AdapterMoments!.Value;
        string state = PathOf(step, StateSuffix);
        if (AdapterFile.BaseDigestOf(state) is { } trainedOn && model.Parameters.VectorDigest is { } own && own != trainedOn)
        {
            throw new Gpt2Exception(
                Gpt2Error.WrongArchitecture, $"The training in '{folder}' was begun with another model than {model.Name}; give that to resume it.", folder);
        }

        AdapterFile.ReadInto(state, model.Adapter!, first, second);
    }

    private void WriteAdapter(Gpt2Model model, LowRankAdapter adapter, string? digest)
    {
        byte[] config = AdapterConfig.Format(adapter.Rank, adapter.Alpha, NameOf(model), AdapterFile.TargetsOf(adapter, model.HyperParameters.NLayer));
        OutputFile.Save(Path.Combine(folder, AdapterConfig.FileName), stream => stream.Write(config));
        AdapterFile.Write(Path.Combine(folder, AdapterFile.FileName), adapter, digest);
    }

    /// <summary>What others call the model: Hugging Face's name of one of OpenAI's, or where it lies.</summary>
    private static string NameOf(Gpt2Model model) => ModelCatalog.TryResolve(model.Name, out CatalogModel? known)
        ? known.Aliases.FirstOrDefault(known.Name)
        : model.Path.Length > 0 ? model.Path : model.Name;

    private IEnumerable<int> Steps() => Directory.Exists(folder)
        ? [.. Directory.EnumerateFiles(folder, CheckpointName + "*" + JournalSuffix).Select(StepOf).Where(step => step >= 0)]
        : [];

    private static int StepOf(string journal) =>
        int.TryParse(Path.GetFileNameWithoutExtension(journal).AsSpan(CheckpointName.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int step) ? step : -1;

    private void Delete(IEnumerable<int> steps)
    {
        foreach (int step in steps)
        {
            File.Delete(PathOf(step, JournalSuffix)); // first: without it the rest does not count
            File.Delete(PathOf(step, StateSuffix));
        }
    }

    private string PathOf(int step, string suffix) => Path.Combine(folder, FormattableString.Invariant($"{CheckpointName}{step}{suffix}"));
}

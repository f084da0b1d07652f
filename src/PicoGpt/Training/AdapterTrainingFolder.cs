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
    private const string StateSuffix = ".safetensors";

    private readonly JournalFiles _journals = new(folder);

    private string AdapterPath => Path.Combine(folder, AdapterFile.FileName);

    private string ConfigPath => Path.Combine(folder, AdapterConfig.FileName);

    public void Save(Gpt2Model model, Trainer trainer, TrainingJournal journal, int best, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            Write(model, trainer, journal);
            Delete(_journals.After(journal.Step)); // of a training that was here before this one
            Delete(_journals.Superseded(journal.Step, best));
        }
        catch (Exception fault) when (UnwritableFile.IsFault(fault))
        {
            throw UnwritableFile.Refused(folder, fault);
        }
    }

    public bool Has(int step) => File.Exists(_journals.PathOf(step)) && File.Exists(StateOf(step));

    public void ReturnTo(Gpt2Model model, Trainer trainer, int step)
    {
        Read(model, trainer, step);
        try
        {
            WriteAdapter(model, model.Adapter!, model.Parameters.VectorDigest);
            Delete(_journals.After(step));
        }
        catch (Exception fault) when (UnwritableFile.IsFault(fault))
        {
            throw UnwritableFile.Refused(folder, fault);
        }
    }

    public TrainingJournal ReadJournal() => _journals.Steps() is [.., int newest]
        ? TrainingJournal.Load(_journals.PathOf(newest))
        : throw new Gpt2Exception(
            Gpt2Error.FileNotFound, $"'{folder}' holds an adapter, and no training of it that could be resumed.", folder);

    public void Read(Gpt2Model model, Trainer trainer, int step)
    {
        (LowRankAdapter first, LowRankAdapter second) = trainer.AdapterMoments!.Value;
        string state = StateOf(step);
        if (AdapterFile.BaseDigestOf(state) is { } trainedOn && model.Parameters.VectorDigest is { } own && own != trainedOn)
        {
            throw new Gpt2Exception(
                Gpt2Error.WrongArchitecture, $"The training in '{folder}' was begun with another model than {model.Name}; give that to resume it.", folder);
        }

        AdapterFile.ReadInto(state, model.Adapter!, first, second);
    }

    private void Write(Gpt2Model model, Trainer trainer, TrainingJournal journal)
    {
        LowRankAdapter adapter = model.Adapter!;
        string? digest = model.Parameters.VectorDigest;
        string state = StateOf(journal.Step), notes = _journals.PathOf(journal.Step);
        using var files = new NewPaths(folder, state, notes, AdapterPath, ConfigPath);
        Directory.CreateDirectory(folder);
        AdapterFile.Write(state, adapter, digest, trainer.AdapterMoments);
        journal.Save(notes);
        WriteAdapter(model, adapter, digest);
        files.Keep();
    }

    private void WriteAdapter(Gpt2Model model, LowRankAdapter adapter, string? digest)
    {
        byte[] config = AdapterConfig.Format(adapter.Rank, adapter.Alpha, NameOf(model), AdapterFile.TargetsOf(adapter, model.HyperParameters.NLayer));
        OutputFile.Save(ConfigPath, stream => stream.Write(config));
        AdapterFile.Write(AdapterPath, adapter, digest);
    }

    /// <summary>What others call the model: Hugging Face's name of one of OpenAI's, or where it lies.</summary>
    private static string NameOf(Gpt2Model model) => ModelCatalog.TryResolve(model.Name, out CatalogModel? known)
        ? known.Aliases.FirstOrDefault(known.Name)
        : model.Path.Length > 0 ? model.Path : model.Name;

    private void Delete(IEnumerable<int> steps)
    {
        foreach (int step in steps)
        {
            File.Delete(_journals.PathOf(step)); // first: without it the rest does not count
            File.Delete(StateOf(step));
        }
    }

    private string StateOf(int step) => _journals.PathOf(step, StateSuffix);
}

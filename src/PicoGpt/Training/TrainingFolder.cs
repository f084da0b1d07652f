using System.Globalization;
using System.Text;
using PicoGpt.Checkpoints;
using PicoGpt.Checkpoints.TensorFlow;
using PicoGpt.Files;
using PicoGpt.Numerics;
using PicoGpt.Weights;

namespace PicoGpt.Training;

/// <summary>
/// The folder of a training: TensorFlow checkpoints with the moments by the names that TensorFlow's Adam has for them, each with its
/// journal, and the files that make the folder a model. A checkpoint is there when the file <c>checkpoint</c> names it, which is written
/// last; the last two are kept.
/// </summary>
/// <param name="folder">The full path.</param>
internal sealed class TrainingFolder(string folder) : ITrainingFolder
{
    private const string WeightsName = "model-";
    private const string FirstMoment = "/Adam", SecondMoment = "/Adam_1";

    private static readonly TensorFlowFormat Format = new();

    private readonly JournalFiles _journals = new(folder);

    public void Save(Gpt2Model model, Trainer trainer, TrainingJournal journal, int best, CancellationToken cancellationToken)
    {
        try
        {
            Write(model, trainer, journal, cancellationToken);
            Delete(_journals.Superseded(journal.Step, best));
        }
        catch (Exception fault) when (UnwritableFile.IsFault(fault))
        {
            throw UnwritableFile.Refused(folder, fault);
        }
    }

    public void ReturnTo(Gpt2Model model, Trainer trainer, int step)
    {
        try
        {
            string state = CheckpointState.Format(Path.GetFileName(PrefixOf(step)));
            OutputFile.Save(Path.Combine(folder, CheckpointState.FileName), stream => stream.Write(Encoding.UTF8.GetBytes(state)));
            Delete(_journals.After(step));
        }
        catch (Exception fault) when (UnwritableFile.IsFault(fault))
        {
            throw UnwritableFile.Refused(folder, fault);
        }
    }

    public bool Has(int step) => File.Exists(_journals.PathOf(step)) && Format.FilesOf(PrefixOf(step)).All(File.Exists);

    public TrainingJournal ReadJournal()
    {
        string prefix = BundlePrefix();
        string path = _journals.PathOf(int.TryParse(Path.GetFileName(prefix).AsSpan(Math.Min(WeightsName.Length, Path.GetFileName(prefix).Length)), CultureInfo.InvariantCulture, out int step) ? step : 0);
        return TrainingJournal.Load(path);
    }

    public void Read(Gpt2Model model, Trainer trainer, int step)
    {
        using TensorBundle bundle = TensorBundle.Open(folder);
        Dictionary<string, StoredTensor> tensors = ((ITensorSource)bundle).Tensors.ToDictionary(tensor => tensor.Name);
        foreach ((Gpt2Weight weight, Matrix first, Matrix second) in trainer.Moments)
        {
            if (first.Rows == 0) continue; // frozen
            string name = Format.Naming.Of(weight.Name);
            Read(name + FirstMoment, first);
            Read(name + SecondMoment, second);
        }

        void Read(string name, Matrix moment)
        {
            Span<float> values = moment.Values;
            if (!tensors.TryGetValue(name, out StoredTensor? tensor) || tensor.DType != TensorDType.Float32 || tensor.Size != (long)values.Length * sizeof(float))
            {
                throw new Gpt2Exception(
                    Gpt2Error.TensorNotFound, $"The checkpoint '{bundle.Prefix}' has no float32 tensor '{name}' of {values.Length} values, without which its training cannot continue.", bundle.Prefix);
            }

            tensor.Verify();
            using var held = new HeldMemory<float>(tensor.GetFloats());
            held.Span.CopyTo(values);
            held.ThrowIfChanged();
        }
    }

    // Nothing has its name before all of it is whole.
    private void Write(Gpt2Model model, Trainer trainer, TrainingJournal journal, CancellationToken cancellationToken)
    {
        using var folders = new NewPaths(folder);
        using var files = new OutputFiles();
        using var bundle = new TensorBundleWriter(PrefixOf(journal.Step), options: null, new WriteMeter(null, cancellationToken));
        Write(bundle, trainer, journal);
        ITensorWriter weights = bundle;
        weights.Complete();
        // A training that is begun anew in the folder of another model has another vocabulary.
        foreach ((string name, byte[] content) in CompanionsOf(model)) files.AddUnlessThere(Path.Combine(folder, name), content);
        files.Add(_journals.PathOf(journal.Step), journal.Write);
        files.Publish(weights.Files);
        folders.Keep();
    }

    private static void Write(TensorBundleWriter writer, Trainer trainer, TrainingJournal journal)
    {
        float power1 = 1, power2 = 1;
        for (int step = 0; step < journal.Step; step++) (power1, power2) = (power1 * (float)journal.Options.Beta1, power2 * (float)journal.Options.Beta2);
        foreach ((Gpt2Weight weight, Matrix first, Matrix second) in trainer.Moments)
        {
            string name = Format.Naming.Of(weight.Name);
            TensorShape shape = Format.ShapeOf(weight.Name, TensorShape.Of(weight.Shape));
            writer.AddFloats(name, shape, weight.Values.Span);
            if (first.Rows == 0) continue; // frozen
            writer.AddFloats(name + FirstMoment, shape, first.Values);
            writer.AddFloats(name + SecondMoment, shape, second.Values);
        }

        writer.AddFloats("beta1_power", new TensorShape([]), [power1]);
        writer.AddFloats("beta2_power", new TensorShape([]), [power2]);
        writer.Add("global_step", TensorDType.Int64, new TensorShape([]), BitConverter.GetBytes((long)journal.Step));
    }

    private static IEnumerable<(string Name, byte[] Content)> CompanionsOf(Gpt2Model model)
    {
        var facts = new ModelFacts(model.Name, model.HyperParameters, model.HasVocabulary ? model.Encoder : null, [TensorDType.Float32]);
        if (model.HasVocabulary) facts = facts with { SpecialIds = model.SpecialIds };
        return Format.TrainingCompanions(facts);
    }

    private void Delete(IEnumerable<int> steps)
    {
        foreach (string file in steps.SelectMany(step => Format.FilesOf(PrefixOf(step)).SkipLast(1).Append(_journals.PathOf(step)))) File.Delete(file);
    }

    private string BundlePrefix()
    {
        using TensorBundle bundle = TensorBundle.Open(folder);
        return bundle.Prefix;
    }

    private string PrefixOf(int step) => Path.Combine(folder, FormattableString.Invariant($"{WeightsName}{step}"));
}

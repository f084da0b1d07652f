using System.Runtime.InteropServices;
using System.Security.Cryptography;
using PicoGpt.Adapters;
using PicoGpt.Files;

namespace PicoGpt.Training;

/// <summary>
/// A training whose model lies in a folder: it begins with a model, or continues from the folder's last checkpoint to the same bits that it
/// would have had without a break. It is for one thread at a time.
/// </summary>
public sealed class TrainingRun : IDisposable
{
    private readonly ITrainingFolder _files;
    private readonly Trainer _trainer;
    private readonly LowRankAdapter? _adapter;
    private readonly string[] _frozen;
    private readonly string _text;
    private readonly List<double> _losses;
    private readonly List<ValidationLoss> _validations;
    private readonly List<TrainingSample> _samples;
    private readonly LossWatch _watch = new();
    private int _saved;
    private bool _hasExploded;

    private TrainingRun(
        Gpt2Model model, string folder, ReadOnlyMemory<int> tokens, ReadOnlyMemory<int> validation, TrainingOptions options, string[] frozen, TrainingJournal? journal)
    {
        (Model, Folder, _files, _frozen, _adapter) = (model, folder, FilesOf(folder, model.Adapter is not null), frozen, model.Adapter);
        _text = HashOf(tokens) + (validation.Length > 0 ? HashOf(validation) : "");
        if (journal is not null && journal.Text != _text)
        {
            throw new Gpt2Exception(
                Gpt2Error.InvalidArgument, $"The training in '{folder}' was begun with another text; give the same texts in the same order to resume it.", folder);
        }

        (_losses, _validations, _samples) = ([.. journal?.Losses ?? []], [.. journal?.Validations ?? []], [.. journal?.Samples ?? []]);
        foreach (double loss in _losses) _ = _watch.Add(loss);
        _saved = journal?.Step ?? -1;
        _trainer = new Trainer(model, tokens, options, frozen.Contains, validation);
        try
        {
            if (journal is not null)
            {
                _files.Read(model, _trainer, journal.Step);
                _trainer.Resume(journal.Step);
            }

            if (Step < options.Steps) RequireRoom();
        }
        catch
        {
            _trainer.Dispose();
            throw;
        }
    }

    /// <summary>The model, whose weights change.</summary>
    public Gpt2Model Model { get; }

    /// <summary>The full path of the folder.</summary>
    public string Folder { get; }

    /// <summary>How it trains.</summary>
    public TrainingOptions Options => _trainer.Options;

    /// <summary>The steps that are done.</summary>
    public int Step => _trainer.Step;

    /// <summary>The parameters that are trained: the weights' that are not frozen, or the adapters'.</summary>
    public long TrainedCount => _trainer.TrainedCount;

    /// <summary>The loss of every step, in nats.</summary>
    public IReadOnlyList<double> Losses => _losses;

    /// <summary>The losses of the text that is held out, as far as they were measured.</summary>
    public IReadOnlyList<ValidationLoss> Validations => _validations;

    /// <summary>What the model wrote on the way.</summary>
    public IReadOnlyList<TrainingSample> Samples => _samples;

    /// <summary>The least loss of the text that is held out; <see langword="null"/> where it was not measured.</summary>
    public ValidationLoss? Best => _validations.MinBy(validation => validation.Loss);

    /// <inheritdoc cref="Trainer.Windows"/>
    public int Windows => _trainer.Windows;

    /// <summary>Begins a training with a copy of a model, or with adapters of it where the options have a rank.</summary>
    /// <param name="model">The model, which stays as it is; where adapters are trained, it must stay open.</param>
    /// <param name="folder">The full path of the folder to write to.</param>
    /// <param name="tokens">The tokens of the texts, one text after another.</param>
    /// <param name="options">How to train.</param>
    /// <param name="frozen">The names of weights that stay as they are.</param>
    /// <param name="overwrite">Whether the folder may hold files; a training in it is begun anew.</param>
    /// <param name="validation">The tokens to validate with, instead of a share of the others.</param>
    /// <returns>The training; nothing is written yet.</returns>
    /// <exception cref="Gpt2Exception">The folder holds files or cannot be written to, an option is out of its range, the text is too short, or there is not enough memory.</exception>
    public static TrainingRun Begin(
        Gpt2Model model,
        string folder,
        ReadOnlyMemory<int> tokens,
        TrainingOptions options,
        IEnumerable<string>? frozen = null,
        bool overwrite = false,
        ReadOnlyMemory<int> validation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        if (!overwrite) UnwritableFile.ThrowIfHoldsFiles(folder);
        UnwritableFile.ThrowIfUnwritable(folder); // hours before the first checkpoint
        options = options.Validate(model.HyperParameters.NCtx);
        TrainingMemory.Require(model, options);
        string[] names = [.. frozen ?? []];
        return Own(Trainable(model, options, names, Path.GetFileName(folder)), copy => new TrainingRun(copy, folder, tokens, validation, options, names, journal: null));
    }

    /// <summary>Continues the training of a folder.</summary>
    /// <param name="folder">The full path of the folder.</param>
    /// <param name="tokens">The same tokens as before.</param>
    /// <param name="change">Makes the options of those that the training was begun with; only threads and memory may differ.</param>
    /// <param name="frozen">The frozen weights, where they are given again.</param>
    /// <param name="model">The model that adapters are trained of; it is not used where the weights themselves are trained.</param>
    /// <param name="validation">The same tokens to validate with as before.</param>
    /// <returns>The training.</returns>
    /// <exception cref="Gpt2Exception">There is no training in the folder, or it was begun with another text or other options.</exception>
    public static TrainingRun Resume(
        string folder,
        ReadOnlyMemory<int> tokens,
        Func<TrainingOptions, TrainingOptions> change,
        IEnumerable<string>? frozen = null,
        Gpt2Model? model = null,
        ReadOnlyMemory<int> validation = default)
    {
        ArgumentNullException.ThrowIfNull(change);
        bool isOfAdapter = AdapterFile.IsIn(folder);
        TrainingJournal journal = FilesOf(folder, isOfAdapter).ReadJournal();
        UnwritableFile.ThrowIfUnwritable(folder);
        TrainingOptions options = change(journal.Options);
        string[] differences = [.. TrainingJournalJson.Differences(journal.Options, options with { Threads = journal.Options.Threads, LowMemory = journal.Options.LowMemory })];
        if (differences.Length > 0) throw OtherOptions(folder, string.Join(", ", differences));
        if (frozen is not null && !frozen.Order().SequenceEqual(journal.Frozen.Order()))
            throw OtherOptions(folder, journal.Frozen.Length == 0 ? "no frozen weights" : $"the frozen weights {Excerpt.Of(journal.Frozen, max: 5)}");
        if (isOfAdapter)
        {
            if (model is null) throw new Gpt2Exception(Gpt2Error.InvalidArgument, $"'{folder}' holds an adapter; give the model that it is trained on to resume.", folder);
            TrainingMemory.Require(model, options);
            return Own(Trainable(model, options, journal.Frozen, model.Name), view => new TrainingRun(view, folder, tokens, validation, options, journal.Frozen, journal));
        }

        using Gpt2Model opened = Gpt2Model.Open(folder);
        TrainingMemory.Require(opened, options);
        return Own(opened.Clone(opened.Name), copy => new TrainingRun(copy, folder, tokens, validation, options, journal.Frozen, journal));
    }

    private static Gpt2Exception OtherOptions(string folder, string begunWith) => new(
        Gpt2Error.InvalidArgument, $"The training in '{folder}' was begun with other options: {begunWith}; leave them out to resume it.", folder);

    /// <summary>Does a step.</summary>
    /// <param name="cancellationToken">Ends it; the weights are as they were before the step.</param>
    /// <returns>What it was.</returns>
    /// <exception cref="Gpt2Exception">The loss is not a number any more, or has exploded; the checkpoint before that stays, and none is written after it.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public Gpt2TrainingStep Next(CancellationToken cancellationToken = default)
    {
        Gpt2TrainingStep step = _trainer.Next(cancellationToken);
        _losses.Add(step.Loss);
        _hasExploded = _watch.Add(step.Loss);
        return _hasExploded ? throw Exploded() : step with { FirstLoss = _losses[0] };
    }

    /// <inheritdoc cref="Trainer.CanEvaluate"/>
    public bool CanEvaluate => _trainer.CanEvaluate;

    /// <inheritdoc cref="Trainer.Evaluate"/>
    public double? Evaluate(CancellationToken cancellationToken = default)
    {
        double? loss = _trainer.Evaluate(cancellationToken);
        if (loss is { } known && (_validations.Count == 0 || _validations[^1].Step != Step)) _validations.Add(new ValidationLoss(Step, known));
        return loss;
    }

    /// <summary>Keeps what the model wrote after the last step.</summary>
    /// <param name="text">The text.</param>
    public void AddSample(string text) => _samples.Add(new TrainingSample(Step, text));

    /// <summary>
    /// Makes the checkpoint of the least validation loss the folder's, where there is one of it; those after it are deleted.
    /// </summary>
    /// <returns>The step of the folder's checkpoint.</returns>
    /// <exception cref="Gpt2Exception">The folder cannot be written to.</exception>
    public int ReturnToBest()
    {
        if (Best is not { } best || best.Step >= _saved || !_files.Has(best.Step)) return _saved;
        _files.ReturnTo(Model, _trainer, best.Step);
        return _saved = best.Step;
    }

    /// <summary>
    /// Writes a checkpoint, where there is not one of this step already: whole or not at all. The last two are kept, and the one of the least
    /// validation loss. Where the loss has exploded nothing is written.
    /// </summary>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="Gpt2Exception">It cannot be written; the one before it stays.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; the one before it stays.</exception>
    public void Save(CancellationToken cancellationToken = default)
    {
        if (_saved == Step || _hasExploded) return;
        var journal = new TrainingJournal(Step, Options, _frozen, _text, [.. _losses], [.. _validations], [.. _samples]);
        try
        {
            _files.Save(Model, _trainer, journal, Best?.Step ?? 0, cancellationToken);
        }
        catch (Gpt2Exception fault) when (_saved > 0)
        {
            throw new Gpt2Exception(fault.Error, $"{fault.Reason}: the checkpoint of step {_saved} stays, from which the training can be resumed.", fault.Path, fault);
        }

        _saved = Step;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _trainer.Dispose();
        Model.Dispose();
        _adapter?.Dispose();
    }

    // Hours before the first checkpoint. It has two moments for each parameter that is trained; adapters are in it once more as they are used.
    private void RequireRoom()
    {
        long size = sizeof(float) * (_adapter is null ? Model.ParameterCount + (2 * TrainedCount) : 4 * TrainedCount);
        long free = DiskSpace.FreeIn(Folder);
        if (free >= size) return;
        throw new Gpt2Exception(
            Gpt2Error.DiskFull,
            FormattableString.Invariant($"A checkpoint of the training takes {size:N0} bytes in '{Folder}', but the disk has {free:N0} free; make room, or give a folder of another disk."),
            Folder);
    }

    private Gpt2Exception Exploded() => new(
        Gpt2Error.InvalidArgument,
        FormattableString.Invariant($"The loss has exploded: the mean of {LossWatch.Span} steps rose from {_watch.Least:F2} to {_watch.Mean:F2}. The training stopped after step {Step}; ")
            + (_saved > 0 ? $"the checkpoint of step {_saved} stays. " : "nothing was written. ")
            + FormattableString.Invariant($"Begin again with a smaller learning rate than {Options.LearningRate:g3}, such as {Options.LearningRate / 10:g3}."),
        Folder);

    // What is trained: a copy of the model, or the model itself with adapters.
    private static Gpt2Model Trainable(Gpt2Model model, TrainingOptions options, string[] frozen, string name)
    {
        if (options.Rank == 0) return model.Clone(name);
        options = options.Validate(model.HyperParameters.NCtx);
        var adapter = new LowRankAdapter(
            model.HyperParameters, options.Rank, options.Alpha > 0 ? options.Alpha : 2 * options.Rank, weight => !frozen.Contains(weight));
        adapter.Initialize(options.Seed);
        return model.WithAdapter(adapter);
    }

    private static TrainingRun Own(Gpt2Model model, Func<Gpt2Model, TrainingRun> make)
    {
        try
        {
            return make(model);
        }
        catch
        {
            model.Dispose();
            model.Adapter?.Dispose();
            throw;
        }
    }

    private static ITrainingFolder FilesOf(string folder, bool isOfAdapter) => isOfAdapter ? new AdapterTrainingFolder(folder) : new TrainingFolder(folder);

    private static string HashOf(ReadOnlyMemory<int> tokens) => Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(tokens.Span)));
}

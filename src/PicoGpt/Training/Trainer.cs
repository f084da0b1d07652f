using PicoGpt.Adapters;
using PicoGpt.Architecture;
using PicoGpt.Inference;
using PicoGpt.Numerics;
using PicoGpt.Weights;

namespace PicoGpt.Training;

/// <summary>
/// Trains a model whose weights are in memory, step by step, with AdamW. Losses and weights are the same bits for any number of threads, any
/// vector width, and whether what passes through is kept or computed again. It is for one thread at a time.
/// </summary>
public sealed class Trainer : IDisposable
{
    private const int MaxValidationWindows = 64;

    private readonly Gpt2Model _model;
    private readonly TrainingText _text;
    private readonly TrainingText? _validation;
    private readonly Gpt2Backward _backward;
    private readonly LeafMemory _first, _second;
    private readonly LowRankAdapter? _firstOfAdapter, _secondOfAdapter;
    private readonly UpdateJob _update;
    private readonly Gpt2Weight[] _changing;
    private readonly int[] _ids, _targets;

    /// <param name="model">The model: a clone, whose weights change.</param>
    /// <param name="tokens">The tokens of the texts, one text after another.</param>
    /// <param name="options">How to train.</param>
    /// <param name="isFrozen">Whether a weight of a name stays as it is; <see langword="null"/> for none.</param>
    /// <param name="validation">The tokens to validate with, instead of a share of the others.</param>
    /// <exception cref="Gpt2Exception">An option is out of its range, the text is too short, an id is not of the model, or its weights cannot be changed.</exception>
    public Trainer(
        Gpt2Model model, ReadOnlyMemory<int> tokens, TrainingOptions options, Func<string, bool>? isFrozen = null, ReadOnlyMemory<int> validation = default)
        : this(model, tokens, options, isFrozen, Kernels.Best, validation)
    {
    }

    internal Trainer(
        Gpt2Model model, ReadOnlyMemory<int> tokens, TrainingOptions options, Func<string, bool>? isFrozen, Kernels kernels, ReadOnlyMemory<int> validation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        if (!model.IsClone && model.Adapter is null)
            throw new Gpt2Exception(Gpt2Error.InvalidArgument, $"The weights of {model.Name} are those of its files, which are never changed; train a copy of the model.");
        _model = model;
        Options = options.Validate(model.HyperParameters.NCtx);
        RequireIds(tokens.Span, model);
        RequireIds(validation.Span, model);
        if (validation.Length > 0) Options = Options with { ValidationShare = 0 };
        int length = Options.ContextLength, heldOut = Options.HeldOutOf(tokens.Length);
        _text = new TrainingText(tokens[..^heldOut], length, Options.Seed);
        if (heldOut > length) validation = tokens[^heldOut..];
        _validation = validation.Length > 0 ? new TrainingText(validation, length, Options.Seed, "The text to validate with") : null;
        (_ids, _targets) = (new int[Options.BatchSize * length], new int[Options.BatchSize * length]);
        Func<string, bool> isTrained = model.Adapter is not null ? _ => false : isFrozen is null ? _ => true : name => !isFrozen(name);
        _backward = new Gpt2Backward(model, Options.BatchSize, length, Options.Threads, kernels, Options.LowMemory, isTrained);
        (_first, _second) = (new LeafMemory(model.HyperParameters, isTrained), new LeafMemory(model.HyperParameters, isTrained));
        (_firstOfAdapter, _secondOfAdapter) = (model.Adapter?.OfSameShape(), model.Adapter?.OfSameShape());
        WeightPart[] parts = Parts();
        TrainedCount = parts.Sum(part => (long)part.Count);
        _update = new UpdateJob(kernels, parts);
        _changing = model.Adapter is null ? [.. model.Parameters] : [];
    }

    /// <summary>How it trains.</summary>
    public TrainingOptions Options { get; }

    /// <summary>The steps that are done.</summary>
    public int Step { get; private set; }

    /// <summary>The parameters that are trained.</summary>
    public long TrainedCount { get; }

    /// <summary>How many windows the text has; an epoch reads each of them once.</summary>
    public int Windows => _text.Windows;

    /// <summary>Whether text is held out to validate with.</summary>
    public bool CanEvaluate => _validation is not null;

    /// <summary>The weights with both moments of their gradients, which are of no rows where the weight is frozen.</summary>
    internal IEnumerable<(Gpt2Weight Weight, Matrix First, Matrix Second)> Moments =>
        _model.Parameters.Zip(_first.Tree, _second.Tree);

    /// <summary>Both moments of the adapter's gradient, where one is trained.</summary>
    internal (LowRankAdapter First, LowRankAdapter Second)? AdapterMoments => _firstOfAdapter is null ? null : (_firstOfAdapter, _secondOfAdapter!);

    /// <summary>Does a step.</summary>
    /// <param name="cancellationToken">Ends it; the weights are as they were before the step.</param>
    /// <returns>What it was.</returns>
    /// <exception cref="Gpt2Exception">
    /// The loss is not a number any more, or was not one from the beginning; the weights are as they were before the step.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public Gpt2TrainingStep Next(CancellationToken cancellationToken = default)
    {
        int batches = Options.GradientAccumulation, tokens = batches * _ids.Length;
        _backward.Clear();
        double loss = 0;
        for (int batch = 0; batch < batches; batch++)
        {
            Read((((long)Step * batches) + batch) * Options.BatchSize);
            loss += _backward.Run(_ids, _targets, Options.ContextLength, 1f / tokens, cancellationToken);
        }

        loss /= tokens;
        double norm = _update.Norm(_backward.Pool);
        double rate = LearningRateSchedule.At(Step + 1, Options);
        if (!double.IsFinite(loss) || !double.IsFinite(norm))
        {
            if (Step == 0) throw LogitsCheck.Fault(_model, $"The first loss of {_model.Name} is infinite or not a number"); // nothing was changed yet
            throw new Gpt2Exception(
                Gpt2Error.InvalidArgument,
                FormattableString.Invariant($"The loss is not a number any more at step {Step + 1}, with a learning rate of {rate:g3}; begin again with a smaller one, such as {Options.LearningRate / 10:g3}."));
        }

        _update.Update(_backward.Pool, Factors(rate, norm));
        Step++;
        foreach (Gpt2Weight weight in _changing) _ = weight.BeginChange(); // who looks at them sees that they are others
        return new Gpt2TrainingStep { Step = Step, Loss = loss, LearningRate = rate, GradientNorm = norm, Tokens = tokens };
    }

    /// <summary>The mean cross-entropy of the text that is held out, or of its first 64 windows, in nats.</summary>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The mean; <see langword="null"/> where no text is held out.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public double? Evaluate(CancellationToken cancellationToken = default)
    {
        if (_validation is null) return null;
        int length = Options.ContextLength, windows = Math.Min(_validation.Windows, MaxValidationWindows);
        double loss = 0;
        for (int first = 0; first < windows; first += Options.BatchSize)
        {
            int count = Math.Min(Options.BatchSize, windows - first);
            for (int i = 0; i < count; i++) _validation.ReadInOrder(first + i, _ids.AsSpan(i * length, length), _targets.AsSpan(i * length, length));
            loss += _backward.Evaluate(_ids.AsMemory(0, count * length), _targets.AsMemory(0, count * length), length, cancellationToken);
        }

        return loss / ((long)windows * length);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _backward.Dispose();
        _first.Dispose();
        _second.Dispose();
        _firstOfAdapter?.Dispose();
        _secondOfAdapter?.Dispose();
    }

    /// <summary>Goes on after a step that was done before, with the moments that are in <see cref="Moments"/>.</summary>
    internal void Resume(int step) => Step = step;

    private static void RequireIds(ReadOnlySpan<int> tokens, Gpt2Model model)
    {
        foreach (int id in tokens)
        {
            if ((uint)id >= (uint)model.HyperParameters.NVocab) throw Gpt2Forward.OutsideVocabulary(id, model);
        }
    }

    private void Read(long window)
    {
        int length = Options.ContextLength;
        for (int i = 0; i < Options.BatchSize; i++) _text.Read(window + i, _ids.AsSpan(i * length, length), _targets.AsSpan(i * length, length));
    }

    private AdamWFactors Factors(double rate, double norm)
    {
        double power1 = 1, power2 = 1;
        for (int step = 0; step <= Step; step++) (power1, power2) = (power1 * Options.Beta1, power2 * Options.Beta2);
        double clip = Options.ClipNorm > 0 && norm > Options.ClipNorm ? Options.ClipNorm / norm : 1;
        return new AdamWFactors(
            (float)clip,
            (float)Options.Beta1,
            (float)Options.Beta2,
            (float)(rate / (1 - power1)),
            (float)(1 / Math.Sqrt(1 - power2)),
            (float)Options.Epsilon,
            (float)(1 - (rate * Options.WeightDecay)));
    }

    private WeightPart[] Parts()
    {
        List<WeightPart> parts = [];
        Matrix[] weights = [.. _backward.Parameters.Select(weight => weight.Plain)];
        Matrix[] gradients = [.. _backward.Gradients.Tree], first = [.. _first.Tree], second = [.. _second.Tree];
        Gpt2Leaf[] leaves = [.. _model.Parameters.Select(weight => weight.Leaf)];
        for (int i = 0; i < leaves.Length; i++)
        {
            bool decays = leaves[i].Kind is not (Gpt2LeafKind.Gain or Gpt2LeafKind.Bias);
            if (gradients[i].Rows > 0) WeightPart.Add(parts, weights[i], gradients[i], first[i], second[i], decays);
        }

        if (_model.Adapter is { } adapter)
        {
            (weights, gradients) = ([.. adapter.Matrices], [.. _backward.AdapterGradients!.Matrices]);
            (first, second) = ([.. _firstOfAdapter!.Matrices], [.. _secondOfAdapter!.Matrices]);
            for (int i = 0; i < weights.Length; i++) WeightPart.Add(parts, weights[i], gradients[i], first[i], second[i], decays: true);
        }

        return parts.Count > 0 ? [.. parts] : throw new Gpt2Exception(Gpt2Error.InvalidArgument, "All weights are frozen, so that nothing can be trained; freeze fewer.");
    }
}

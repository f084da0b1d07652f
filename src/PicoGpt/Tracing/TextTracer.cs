using PicoGpt.Architecture;
using PicoGpt.Files;
using PicoGpt.Inference;
using PicoGpt.Numerics;
using PicoGpt.Tokens;

namespace PicoGpt.Tracing;

/// <summary>
/// Reads a text with a model, in the same pass that generates text, and keeps what was asked for on the way. For one thread at a time.
/// </summary>
public sealed class TextTracer
{
    private readonly Gpt2Model _model;
    private readonly TraceOptions _options;
    private readonly Kernels _kernels;
    private readonly int[] _ids;

    /// <summary>Prepares a trace; nothing is computed yet.</summary>
    /// <param name="model">The model.</param>
    /// <param name="text">The text; an empty one is <c>&lt;|endoftext|&gt;</c>.</param>
    /// <param name="options">What to keep.</param>
    /// <exception cref="Gpt2Exception">The text does not fit into the context, or an option means nothing in this model.</exception>
    public TextTracer(Gpt2Model model, string text, TraceOptions options)
        : this(model, text, options, Kernels.Best)
    {
    }

    internal TextTracer(Gpt2Model model, string text, TraceOptions options, Kernels kernels)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate(model);
        (_model, _options, _kernels) = (model, options, kernels);
        Text = text;
        Tokens = text.Length == 0 ? [BeginningOf(model)] : model.Encoder.Tokenize(text, options.AllowSpecial);
        _ids = [.. Tokens.Select(token => token.Id)];
        int most = model.HyperParameters.NCtx;
        if (_ids.Length > most)
        {
            throw new Gpt2Exception(
                Gpt2Error.ContextExceeded,
                $"The text has {_ids.Length} tokens, but the context of {model.Name} has {most} positions; trace a part of it.");
        }

        HookChain.Of(model, options.Interventions, _ids.Length); // says at once what cannot be done
    }

    /// <summary>The text.</summary>
    public string Text { get; }

    /// <summary>Its tokens.</summary>
    public IReadOnlyList<Gpt2Token> Tokens { get; }

    /// <summary>What the trace keeps, in bytes; the model's own memory is not in it.</summary>
    public long MemoryNeeded => _options.MemoryNeeded(_model.HyperParameters, _ids.Length);

    /// <summary>Checks before the work whether <see cref="Gpt2Trace.SaveHtml(string, bool)"/> could save the trace.</summary>
    /// <param name="path">The file.</param>
    /// <param name="overwrite">Whether an existing file may be overwritten.</param>
    /// <param name="isCompared">Whether the page shows the trace before interventions too.</param>
    /// <exception cref="Gpt2Exception">The file is there, or the page would be too large for a browser.</exception>
    public void CheckPage(string path, bool overwrite = false, bool isCompared = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!overwrite && File.Exists(path)) throw UnwritableFile.Exists(path);
        Gpt2HyperParameters h = _model.HyperParameters;
        if (!_options.Attention) return;
        int layers = TraceOptions.CountOf(_options.Layers, h.NLayer), heads = TraceOptions.CountOf(_options.Heads, h.NHead);
        TracePage.CheckSize(layers, heads, _ids.Length, isCompared ? 2 : 1);
    }

    /// <summary>Reads the text.</summary>
    /// <param name="cancellationToken">Stops between two layers.</param>
    /// <returns>The trace.</returns>
    /// <exception cref="Gpt2Exception">The checkpoint's data is not as its index says.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public Gpt2Trace Trace(CancellationToken cancellationToken = default)
    {
        Gpt2HyperParameters h = _model.HyperParameters;
        var recorder = new TraceRecorder(h, _options, _ids.Length);
        IForwardHook hook = HookChain.Of(_model, _options.Interventions, _ids.Length, recorder)!;
        LensPrediction[]?[]? lens = _options.LogitLens
            ? [.. Enumerable.Range(0, h.NLayer).Select(layer => recorder.Layers.Contains(layer) ? new LensPrediction[_ids.Length] : null)]
            : null;
        using var forward = new Gpt2Forward(_model, _options.Threads, _kernels) { Hook = hook };
        using KeyValueCache cache = forward.NewCache();
        var logitLens = new LogitLens(_model.Encoder, _ids, _options.Top);
        recorder.LayerDone = (layer, rows) =>
        {
            int position = rows[0].Position;
            if (lens?[layer] is { } predictions)
                Predict(forward, logitLens, layer, position, predictions.AsSpan(position, rows.Length), cancellationToken);
            double done = ((double)position * h.NLayer) + ((layer + 1.0) * rows.Length);
            _options.Progress?.Invoke(done / ((double)_ids.Length * h.NLayer));
        };

        using var context = new Gpt2Context(forward, cache) { PortionRead = rows => ReadOut(forward, recorder, rows, cancellationToken) };
        context.Read(_ids, cancellationToken);
        return new Gpt2Trace(_model.Name, Text, Tokens)
        {
            Layers = recorder.Layers,
            Heads = recorder.Heads,
            Attention = recorder.Attention,
            LogitLens = lens,
            ResidualNorms = recorder.Norms,
            Activations = recorder.Activations,
            Interventions = [.. _options.Interventions],
            Fault = recorder.NotFiniteAfter is { } layer
                ? LogitsCheck.Fault(_model, $"What leaves layer {layer} of {_model.Name} is infinite or not a number", isChanged: _options.Interventions.Count > 0)
                : null,
        };
    }

    // What comes after the blocks is computed where it is wanted.
    private static void ReadOut(Gpt2Forward forward, TraceRecorder recorder, int rows, CancellationToken cancellationToken)
    {
        bool wantsLogits = recorder.Wants(ActivationSite.Logits, IForwardHook.NoLayer);
        if (!wantsLogits && !recorder.Wants(ActivationSite.FinalNorm, IForwardHook.NoLayer)) return;
        foreach (int[] some in Enumerable.Range(0, rows).Chunk(Gpt2Forward.MaxLogits))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (wantsLogits) forward.Logits(some);
            else forward.FinalNorm(some);
        }
    }

    // ln_f and wte, as after the last layer
    private static void Predict(
        Gpt2Forward forward, LogitLens lens, int layer, int position, Span<LensPrediction> predictions, CancellationToken cancellationToken)
    {
        for (int first = 0; first < predictions.Length; first += Gpt2Forward.MaxLogits)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int count = Math.Min(Gpt2Forward.MaxLogits, predictions.Length - first);
            Matrix logits = forward.Lens(layer, [.. Enumerable.Range(first, count)]); // [count, n_vocab]
            for (int i = 0; i < count; i++) predictions[first + i] = lens.Predict(layer, position + first + i, logits.Row(i));
        }
    }

    private static Gpt2Token BeginningOf(Gpt2Model model) => model.SpecialIds.Begin is { } id ? model.Encoder.TokenOf(id) : throw new Gpt2Exception(
        Gpt2Error.InvalidArgument, $"The text is empty, and the vocabulary of {model.Name} has no <|endoftext|>; give a text.", model.Path);
}

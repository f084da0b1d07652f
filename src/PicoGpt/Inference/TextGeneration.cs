using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using PicoGpt.Numerics;
using PicoGpt.Tokens;

namespace PicoGpt.Inference;

/// <summary>One generation: a prompt, the text that follows it piece by piece, and what became of it.</summary>
public sealed class TextGeneration
{
    private readonly Gpt2Model _model;
    private readonly GenerationOptions _options;
    private readonly Sampler _sampler;
    private readonly StreamingDecoder _decoder;
    private readonly StopScanner _scanner;
    private readonly PromptLookup _lookup = new();
    private readonly int _promptLength;
    private readonly List<int> _ids; // the prompt's and the generated ones
    private readonly StringBuilder _text = new();
    private readonly int[] _together = new int[1 + PromptLookup.Longest];
    private readonly List<int> _next = [];
    private bool _started;
    private FinishReason _finish;
    private TimeSpan _prefill;
    private TimeSpan _decode;
    private int _speculated;

    /// <summary>Prepares a generation; the model's weights are not read yet.</summary>
    /// <param name="model">The model.</param>
    /// <param name="prompt">The text to go on from; an empty one starts from <c>&lt;|endoftext|&gt;</c>.</param>
    /// <param name="options">How to generate; <see langword="null"/> for greedy, 40 tokens.</param>
    /// <exception cref="Gpt2Exception">The prompt has more tokens than the context, or an option is outside its range.</exception>
    public TextGeneration(Gpt2Model model, string prompt, GenerationOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(prompt);
        _model = model;
        _options = options ?? new GenerationOptions();
        _options.Validate();
        Prompt = prompt;
        _ids = [.. Encode(model, prompt)];
        _promptLength = _ids.Count;
        _sampler = new Sampler(_options, model.HyperParameters.NVocab);
        _decoder = new StreamingDecoder(model.Encoder);
        _scanner = new StopScanner(_options.Stop);
        if (_options.MaxTokens == 0) _finish = FinishReason.MaxTokens;
    }

    /// <summary>The prompt.</summary>
    public string Prompt { get; }

    /// <summary>Told how far the generation is, on the thread that generates: after every portion of a long prompt and every step.</summary>
    public Action<GenerationProgress>? Progress { get; set; }

    /// <summary>What has been generated so far.</summary>
    public Gpt2Completion Completion => new()
    {
        Model = _model.Name,
        Prompt = Prompt,
        Text = _text.ToString(),
        PromptIds = _ids[.._promptLength],
        Ids = _ids[_promptLength..],
        FinishReason = _started && !IsFinished ? FinishReason.Cancelled : _finish,
        Seed = _options.Temperature == 0 ? null : _sampler.Seed,
        PrefillDuration = _prefill,
        DecodeDuration = _decode,
        SpeculatedTokens = _speculated,
    };

    /// <summary>Whether the text has ended.</summary>
    internal bool IsFinished => _finish != FinishReason.None;

    /// <summary>The prompt's and the generated ids.</summary>
    internal IReadOnlyList<int> Ids => _ids;

    /// <summary>How many of the ids are to be kept in a context that is full; 0 where the text ends with it.</summary>
    internal int KeptByOverflow => _options.Overflow == ContextOverflow.Slide ? Math.Max(_model.HyperParameters.NCtx / 2, 1) : 0;

    private int GeneratedCount => _ids.Count - _promptLength;

    /// <summary>Generates from beginning to end.</summary>
    /// <param name="model">The model.</param>
    /// <param name="prompt">The text to go on from.</param>
    /// <param name="options">How to generate.</param>
    /// <param name="cancellationToken">Stops within a token.</param>
    /// <returns>The completion.</returns>
    /// <exception cref="Gpt2Exception">The prompt has more tokens than the context, or an option is outside its range.</exception>
    /// <exception cref="OperationCanceledException">The generation was cancelled.</exception>
    public static Gpt2Completion Run(Gpt2Model model, string prompt, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        var generation = new TextGeneration(model, prompt, options);
        foreach (string _ in generation.Stream(cancellationToken))
        {
            // the completion collects the pieces
        }

        return generation.Completion;
    }

    /// <summary>
    /// Generates, giving each piece of text as soon as it is certain: whole characters only, and nothing that may turn out
    /// to begin a stop string. To be enumerated once.
    /// </summary>
    /// <param name="cancellationToken">Stops within a token.</param>
    /// <returns>The pieces; joined, they are the completion's text.</returns>
    /// <exception cref="Gpt2Exception">A file of the model is not as it should be.</exception>
    /// <exception cref="OperationCanceledException">The generation was cancelled.</exception>
    public IEnumerable<string> Stream(CancellationToken cancellationToken = default)
    {
        _started = true;
        if (IsFinished) yield break;
        using var context = new Gpt2Context(_model, _options.Threads);
        context.PortionRead = () => Report(context);
        int unread = _ids.Count;
        while (!IsFinished)
        {
            if (unread > context.Capacity - context.Length)
            {
                if (KeptByOverflow == 0)
                {
                    string rest = Finish(FinishReason.Length);
                    if (rest.Length > 0) yield return rest;
                    yield break;
                }

                context.Truncate(0);
                unread = Math.Min(KeptByOverflow, _ids.Count);
            }

            foreach (int id in Next(context, unread, cancellationToken))
            {
                string piece = Take(id);
                if (piece.Length > 0) yield return piece;
                if (IsFinished) yield break;
            }

            unread = 1;
        }
    }

    /// <summary>The next token by its logits: [n_vocab] -> id.</summary>
    internal int Choose(ReadOnlySpan<float> logits) => _sampler.Next(logits);

    /// <summary>Takes the next token, and gives the text that is now certain.</summary>
    internal string Take(int id)
    {
        if (id == _model.Encoder.EndOfText && !_options.IgnoreEndOfText) return Finish(FinishReason.EndOfText);
        _ids.Add(id);
        string piece = Collect(_scanner.Append(_decoder.Append(id)));
        if (_scanner.Stopped) _finish = FinishReason.Stop;
        else if (GeneratedCount == _options.MaxTokens) piece += Finish(FinishReason.MaxTokens);
        return piece;
    }

    /// <summary>Ends the text, and gives what was still held back of it.</summary>
    internal string Finish(FinishReason reason)
    {
        _started = true;
        string rest = _scanner.Append(_decoder.Flush());
        _finish = _scanner.Stopped ? FinishReason.Stop : reason;
        return Collect(rest + _scanner.Flush());
    }

    /// <summary>Adds the time of a step: of the first to the reading of the prompt, of later ones to decoding.</summary>
    internal void Spend(TimeSpan elapsed)
    {
        if (GeneratedCount == 0) _prefill += elapsed;
        else _decode += elapsed;
    }

    private static int[] Encode(Gpt2Model model, string prompt)
    {
        int capacity = model.HyperParameters.NCtx;
        int[] ids = prompt.Length == 0 ? [model.EndOfText] : model.Encoder.Encode(prompt);
        if (ids.Length <= capacity) return ids;
        throw new Gpt2Exception(
            Gpt2Error.ContextExceeded,
            $"The prompt has {ids.Length} tokens, but the context of {model.Name} has {capacity}; "
                + $"shorten the prompt by {ids.Length - capacity} tokens or more.");
    }

    private void Report(Gpt2Context context)
    {
        double rate = GeneratedCount > 1 ? (GeneratedCount - 1) / _decode.TotalSeconds : 0;
        Progress?.Invoke(new GenerationProgress(_promptLength, Math.Min(_promptLength, context.Length), GeneratedCount, _options.MaxTokens, rate));
    }

    private string Collect(string piece)
    {
        _text.Append(piece);
        return piece;
    }

    // Reads the last tokens and gives the next: one, or several where a draft of them proved right.
    private List<int> Next(Gpt2Context context, int unread, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        _next.Clear();
        int most = Math.Min(_options.MaxTokens - GeneratedCount, context.Capacity - context.Length) - 1;
        bool speculates = _options is { Temperature: 0, Speculation: true } && unread == 1;
        ReadOnlySpan<int> draft = speculates ? _lookup.Draft(_ids, most) : [];
        if (draft.IsEmpty)
        {
            ReadOnlySpan<int> ids = CollectionsMarshal.AsSpan(_ids)[^unread..];
            _next.Add(_sampler.Next(context.Forward(ids, cancellationToken)));
        }
        else
        {
            Verify(context, draft, cancellationToken);
        }

        Spend(Stopwatch.GetElapsedTime(start));
        return _next;
    }

    // Reads the last token and the draft together. As far as the model says what the draft guessed, it has read its own words.
    private void Verify(Gpt2Context context, ReadOnlySpan<int> draft, CancellationToken cancellationToken)
    {
        int length = context.Length;
        _together[0] = _ids[^1];
        draft.CopyTo(_together.AsSpan(1));
        Matrix logits = context.ForwardTogether(_together.AsSpan(0, 1 + draft.Length), cancellationToken); // [1 + draft, n_vocab]
        int accepted = 0;
        _next.Add(_sampler.Next(logits.Row(0)));
        while (accepted < draft.Length && _next[accepted] == draft[accepted]) _next.Add(_sampler.Next(logits.Row(++accepted)));
        context.Truncate(length + 1 + accepted);
        _lookup.Learn(draft.Length, accepted);
        _speculated += accepted;
    }
}

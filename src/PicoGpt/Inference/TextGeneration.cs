using System.Diagnostics;
using System.Text;
using PicoGpt.Tokens;

namespace PicoGpt.Inference;

/// <summary>One generation: a prompt, the text that follows it piece by piece, and what became of it.</summary>
public sealed class TextGeneration
{
    private readonly Gpt2Model _model;
    private readonly GenerationOptions _options;
    private readonly Sampler _sampler;
    private readonly int[] _promptIds;
    private readonly List<int> _ids = [];
    private readonly StringBuilder _text = new();
    private FinishReason _finish;
    private TimeSpan _prefill;
    private TimeSpan _decode;

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
        _promptIds = Encode(model, prompt);
        _sampler = new Sampler(_options, model.HyperParameters.NVocab);
    }

    /// <summary>The prompt.</summary>
    public string Prompt { get; }

    /// <summary>What has been generated so far.</summary>
    public Gpt2Completion Completion => new()
    {
        Model = _model.Name,
        Prompt = Prompt,
        Text = _text.ToString(),
        PromptIds = _promptIds,
        Ids = [.. _ids],
        FinishReason = _finish,
        Seed = _options.Temperature == 0 ? null : _sampler.Seed,
        PrefillDuration = _prefill,
        DecodeDuration = _decode,
    };

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
        var decoder = new StreamingDecoder(_model.Encoder);
        var scanner = new StopScanner(_options.Stop);
        foreach (int id in Ids(cancellationToken))
        {
            string piece = scanner.Append(decoder.Append(id));
            if (piece.Length > 0) yield return Collect(piece);
            if (!scanner.Stopped) continue;
            _finish = FinishReason.Stop;
            yield break;
        }

        string rest = scanner.Append(decoder.Flush());
        if (scanner.Stopped) _finish = FinishReason.Stop;
        rest += scanner.Flush();
        if (rest.Length > 0) yield return Collect(rest);
    }

    private static int[] Encode(Gpt2Model model, string prompt)
    {
        int capacity = model.HyperParameters.NCtx;
        int[] ids = prompt.Length == 0 ? [model.EndOfText] : model.Encoder.Encode(prompt);
        if (ids.Length <= capacity) return ids;
        throw new Gpt2Exception(
            Gpt2Error.ContextExceeded,
            $"The prompt has {ids.Length} tokens, but the context of {model.Name} has {capacity}; shorten the prompt by {ids.Length - capacity} tokens or more.");
    }

    private string Collect(string piece)
    {
        _text.Append(piece);
        return piece;
    }

    private IEnumerable<int> Ids(CancellationToken cancellationToken)
    {
        _finish = FinishReason.Cancelled; // unless it ends otherwise
        using var context = new Gpt2Context(_model, _options.Threads);
        int[] unread = _promptIds;
        while (_ids.Count < _options.MaxTokens)
        {
            if (unread.Length > context.Capacity - context.Length)
            {
                if (_options.Overflow == ContextOverflow.Stop)
                {
                    _finish = FinishReason.Length;
                    yield break;
                }

                context.Truncate(0);
                unread = [.. _promptIds.Concat(_ids).TakeLast(Math.Max(context.Capacity / 2, 1))];
            }

            int id = Next(context, unread, cancellationToken);
            if (id == _model.Encoder.EndOfText && !_options.IgnoreEndOfText)
            {
                _finish = FinishReason.EndOfText;
                yield break;
            }

            _ids.Add(id);
            unread = [id];
            yield return id;
        }

        _finish = FinishReason.MaxTokens;
    }

    private int Next(Gpt2Context context, int[] unread, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        int id = _sampler.Next(context.Forward(unread, cancellationToken));
        TimeSpan elapsed = Stopwatch.GetElapsedTime(start);
        if (_ids.Count == 0) _prefill = elapsed;
        else _decode += elapsed;
        return id;
    }
}

using System.Runtime.InteropServices;
using System.Text;
using PicoGpt.Tokens;

namespace PicoGpt.Inference;

/// <summary>A text that is being generated: a prompt, what follows it token by token, and what became of it.</summary>
internal sealed class GeneratedText : QueuedText
{
    // Reading a further token together with others takes about this share of reading one alone.
    private const double FurtherRow = 0.05;

    private readonly Gpt2Model _model;
    private readonly GenerationOptions _options;
    private readonly string _prompt;
    private readonly int _promptLength;
    private readonly List<int> _ids; // the prompt's and the generated ones
    private readonly IReadOnlySet<int> _endOfText;
    private readonly Sampler _sampler;
    private readonly StreamingDecoder _decoder;
    private readonly StopScanner _scanner;
    private readonly IDraft? _draft;
    private readonly int[] _together = new int[1 + PromptLookup.Longest];
    private readonly StringBuilder _text = new();
    private int _start; // of the context, in the ids; 0 until it slides
    private int _guessed, _right; // of this step
    private bool _wantsLogits, _isPrefill;
    private int _given; // of the text, in pieces
    private bool _started;
    private FinishReason _finish;
    private TimeSpan _prefill, _decode;
    private int _speculated;

    /// <param name="model">The model.</param>
    /// <param name="prompt">The text to go on from; an empty one starts from <c>&lt;|endoftext|&gt;</c>.</param>
    /// <param name="options">How to generate, validated.</param>
    /// <param name="draft">What guesses its tokens, if anything.</param>
    /// <exception cref="Gpt2Exception">The prompt has more tokens than the context.</exception>
    public GeneratedText(Gpt2Model model, string prompt, GenerationOptions options, IDraft? draft)
    {
        (_model, _prompt, _options, _draft) = (model, prompt, options, draft);
        _ids = [.. Encode(model, prompt)];
        _promptLength = _ids.Count;
        _endOfText = options.IgnoreEndOfText ? new HashSet<int>() : model.EndOfTextIds;
        _sampler = new Sampler(options, model.HyperParameters.NVocab);
        _decoder = new StreamingDecoder(model.Encoder);
        _scanner = new StopScanner(options.Stop);
        if (options.MaxTokens == 0) _finish = FinishReason.MaxTokens;
    }

    /// <summary>Told how far the text is, after what a step reads.</summary>
    public Action<GenerationProgress>? Progress { get; set; }

    /// <summary>Tokens that were generated.</summary>
    public int NewTokens => _ids.Count - _promptLength;

    /// <summary>What has been generated so far.</summary>
    public Gpt2Completion Completion => new()
    {
        Model = _model.Name,
        Prompt = _prompt,
        Text = _text.ToString(),
        PromptIds = _ids[.._promptLength],
        Ids = _ids[_promptLength..],
        FinishReason = _started && !IsDone ? FinishReason.Cancelled : _finish,
        Fault = Fault,
        Seed = _options.Temperature == 0 ? null : _sampler.Seed,
        PrefillDuration = _prefill,
        DecodeDuration = _decode,
        SpeculatedTokens = _speculated,
    };

    /// <inheritdoc/>
    public override int LeastRows => 1;

    /// <inheritdoc/>
    public override ReadOnlySpan<int> Beginning => _start == 0 ? Ids[..^1] : [];

    /// <inheritdoc/>
    public override bool WantsLogits => _wantsLogits && !IsFinished;

    /// <inheritdoc/>
    protected override bool IsDone => _finish != FinishReason.None;

    private ReadOnlySpan<int> Ids => CollectionsMarshal.AsSpan(_ids);

    /// <inheritdoc/>
    public override ReadOnlySpan<int> Next(int most, int texts)
    {
        _started = true;
        _isPrefill = NewTokens == 0;
        _wantsLogits = true;
        (_guessed, _right) = (0, 0);
        if (!MakeRoom()) return [];
        ReadOnlySpan<int> unread = Ids[(_start + Cache!.Length)..];
        FirstScored = unread.Length - 1; // what else is read is the prompt, or the half that is kept when the context slides
        if (unread.Length > most) return unread[..most];
        return unread.Length == 1 ? WithGuess(unread[0], most, texts) : unread;
    }

    /// <inheritdoc/>
    public override void HasRead()
    {
        double rate = NewTokens > 1 ? (NewTokens - 1) / _decode.TotalSeconds : 0;
        Progress?.Invoke(new GenerationProgress(_promptLength, Math.Min(_promptLength, _start + Cache!.Length), NewTokens, _options.MaxTokens, rate));
    }

    /// <summary>
    /// Takes the logits after the last token, and then those after each guessed token, as long as the guesses are right: as far as the
    /// model says what was guessed, it has read its own words.
    /// </summary>
    public void Take(ReadOnlySpan<float> logits) // [n_vocab]
    {
        int id = _sampler.Next(logits);
        _wantsLogits = _right < _guessed && id == _together[1 + _right];
        if (_wantsLogits) _right++;
        Take(id);
    }

    /// <inheritdoc/>
    public override void Settle(TimeSpan elapsed)
    {
        if (_isPrefill) _prefill += elapsed;
        else _decode += elapsed;
        _speculated += _right;
        if (_guessed > 0) _draft!.Learn(_guessed, _right);
        Cache!.Length = Math.Min(Cache.Length, _ids.Count - _start - 1); // a wrong guess is forgotten, and the last token is not read yet
    }

    /// <inheritdoc/>
    public override void Fail(Exception fault)
    {
        base.Fail(fault);
        Collect(_scanner.Flush());
        _finish = FinishReason.Fault;
    }

    /// <summary>Ends the text as it is.</summary>
    public void Cancel()
    {
        if (IsDone) return;
        Collect(_scanner.Flush());
        _finish = FinishReason.Cancelled;
    }

    /// <summary>The text that has become certain since the last call.</summary>
    public string TakePiece()
    {
        string piece = _text.ToString(_given, _text.Length - _given);
        _given = _text.Length;
        return piece;
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

    // What is to be done when the context is full. False where the text ends with it.
    private bool MakeRoom()
    {
        if (Cache!.Length < Cache.Capacity) return true;
        if (_options.Overflow == ContextOverflow.Stop)
        {
            Finish(FinishReason.Length);
            return false;
        }

        _start = _ids.Count - Math.Min(Math.Max(Cache.Capacity / 2, 1), _ids.Count);
        Cache.Length = 0;
        return true;
    }

    private ReadOnlySpan<int> WithGuess(int last, int most, int texts)
    {
        int room = Math.Min(Math.Min(most, Cache!.Capacity - Cache.Length), _options.MaxTokens - NewTokens) - 1;
        _together[0] = last;
        if (room > 0 && _draft is not null)
        {
            ReadOnlySpan<int> guess = _draft.Guess(Ids, room, CostAmong(texts));
            guess.CopyTo(_together.AsSpan(1));
            _guessed = guess.Length;
        }

        FirstScored = 0;
        return _together.AsSpan(0, 1 + _guessed);
    }

    // A right guess saves a row of a later step, and a text's share of that step's reading of the weights; a wrong one costs a row.
    private static double CostAmong(int texts) => FurtherRow / (((1 - FurtherRow) / texts) + FurtherRow);

    private void Take(int id)
    {
        if (_endOfText.Contains(id))
        {
            Finish(FinishReason.EndOfText);
            return;
        }

        _ids.Add(id);
        Collect(_scanner.Append(_decoder.Append(id)));
        if (_scanner.Stopped) _finish = FinishReason.Stop;
        else if (NewTokens == _options.MaxTokens) Finish(FinishReason.MaxTokens);
    }

    // Ends the text; what was still held back of it is certain now.
    private void Finish(FinishReason reason)
    {
        Collect(_scanner.Append(_decoder.Flush()));
        _finish = _scanner.Stopped ? FinishReason.Stop : reason;
        Collect(_scanner.Flush());
    }

    private void Collect(string piece) => _text.Append(piece);
}

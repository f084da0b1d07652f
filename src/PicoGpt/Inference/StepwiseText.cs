using System.Runtime.InteropServices;
using PicoGpt.Numerics;
using PicoGpt.Tokens;

namespace PicoGpt.Inference;

/// <summary>A text that is generated token by token, greedily or sampled: a prompt, what follows it, and what became of it.</summary>
internal sealed class StepwiseText : GeneratedText
{
    private const int MaxGuesses = PromptLookup.MaxGuesses;

    private readonly Gpt2Model _model;
    private readonly GenerationOptions _options;
    private readonly Prompt _prompt;
    private readonly List<int> _ids; // the prompt's and the generated ones
    private readonly IReadOnlySet<int> _endOfText;
    private readonly LogitsProcessor _processor;
    private readonly Sampler _sampler;
    private readonly TokenScorer? _scorer;
    private readonly List<GeneratedToken> _tokens = [];
    private readonly TextCollector _text;
    private readonly IDraft? _lookup;
    private readonly int[] _together = new int[1 + MaxGuesses];
    private int _start; // of the context, in the ids; 0 until it slides
    private int _lookedUpAt = -1; // how many ids there were when this step looked up, if it did
    private LogitsProcessor? _guessProcessor;
    private Random64? _guessDraws; // where the sampler's draws for what is guessed come from
    private bool _wantsLogits, _isPrefill;
    private bool _started;
    private FinishReason _finish;
    private TimeSpan _prefill, _decode;
    private DraftCount _lookedUp, _shadowed;

    /// <param name="model">The model.</param>
    /// <param name="prompt">What to continue from.</param>
    /// <param name="options">How to generate, validated.</param>
    /// <param name="lookup">What guesses its tokens from what stands already, if anything.</param>
    public StepwiseText(Gpt2Model model, Prompt prompt, GenerationOptions options, IDraft? lookup)
    {
        (_model, _prompt, _options, _lookup) = (model, prompt, options, lookup);
        int n_vocab = model.HyperParameters.NVocab;
        _ids = [.. prompt.Ids];
        _endOfText = options.IgnoreEndOfText ? new HashSet<int>() : model.EndOfTextIds;
        _processor = new LogitsProcessor(options, n_vocab, prompt.Ids.Length, model.Encoder.PaddingIds);
        _sampler = new Sampler(options, n_vocab);
        _scorer = options.TopLogProbs is { } top ? new TokenScorer(new TokenTexts(model.Encoder), top) : null;
        _text = new TextCollector(model.Encoder, options.Stop, options.KeepSpecial);
        if (options.MaxTokens == 0) _finish = FinishReason.MaxTokens;
    }

    /// <summary>What has been generated so far.</summary>
    public Gpt2Completion Completion => new()
    {
        Model = _model.Name,
        Prompt = _prompt.Text,
        Text = _text.Text,
        PromptIds = _prompt.Ids,
        Ids = _ids[_prompt.Ids.Length..],
        Tokens = _tokens[..], // of a type that can be indexed wherever it comes
        FinishReason = _started && !IsDone ? FinishReason.Cancelled : _finish,
        Fault = Fault,
        Seed = _options.Temperature == 0 ? null : _sampler.Seed,
        PrefillDuration = _prefill,
        DecodeDuration = _decode,
        LookupDrafted = _lookedUp.Guessed,
        LookupAccepted = _lookedUp.Right,
        ShadowDrafted = _shadowed.Guessed,
        ShadowAccepted = _shadowed.Right,
    };

    /// <inheritdoc/>
    public override IReadOnlyList<Gpt2Completion> Completions => [Completion];

    /// <inheritdoc/>
    public override ReadOnlySpan<int> Beginning => _start == 0 ? Ids[..^1] : [];

    /// <inheritdoc/>
    public override int TokensToCome => IsFinished ? 0 : _options.MaxTokens - NewTokens;

    /// <inheritdoc/>
    public override bool WantsLogits => _wantsLogits && !IsFinished;

    /// <inheritdoc/>
    protected override bool IsDone => _finish != FinishReason.None;

    private int NewTokens => _ids.Count - _prompt.Ids.Length;

    private ReadOnlySpan<int> Ids => CollectionsMarshal.AsSpan(_ids);

    /// <inheritdoc/>
    public override bool MayGuess => !_endOfText.Contains(Last);

    /// <inheritdoc/>
    public override int Last => Guessed == 0 ? _ids[^1] : _together[Guessed];

    /// <summary>Takes for a guess what would be taken for the next token, by the same draw, if the logits were the exact ones.</summary>
    public override void TakeGuess(ReadOnlySpan<float> logits) // [n_vocab]
    {
        if (_processor.IsNeeded)
        {
            _guessProcessor ??= new LogitsProcessor(_options, logits.Length, _prompt.Ids.Length);
            int[] ids = [.. _ids, .. _together[1..(1 + Guessed)]];
            logits = _guessProcessor.Process(logits, ids);
        }

        int id = _sampler.Next(logits, _guessDraws!);
        _together[++Guessed] = id;
    }

    /// <inheritdoc/>
    public override ReadOnlySpan<int> Next(int max)
    {
        _started = true;
        _isPrefill = NewTokens == 0;
        _wantsLogits = true;
        if (!MakeRoom()) return [];
        ReadOnlySpan<int> unread = Ids[(_start + Cache!.Length)..];
        if (unread.Length > 1) Guessed = 0;
        FirstScored = unread.Length - 1; // what else is read is the prompt, or the half that is kept when the context slides
        if (unread.Length > max) return unread[..max];
        return Guessed > 0 ? WithGuess(unread[0], max) : unread;
    }

    /// <inheritdoc/>
    public override void HasRead()
    {
        double rate = NewTokens > 1 ? (NewTokens - 1) / _decode.TotalSeconds : 0;
        int length = _prompt.Ids.Length;
        Progress?.Invoke(new GenerationProgress(length, Math.Min(length, _start + Cache!.Length), NewTokens, _options.MaxTokens, rate));
    }

    /// <summary>
    /// Takes the logits after the last token, and then those after each guessed token, as long as the guesses are right: as far as the
    /// model says what was guessed, it has read its own words.
    /// </summary>
    public override void Take(ReadOnlySpan<float> logits) // [n_vocab]
    {
        int id = _sampler.Next(_processor.Process(logits, Ids));
        _wantsLogits = Right < Guessed && id == _together[1 + Right];
        if (_wantsLogits) Right++;
        Take(id, logits);
    }

    /// <inheritdoc/>
    public override void Settle(TimeSpan elapsed)
    {
        if (_isPrefill) _prefill += elapsed;
        else _decode += elapsed;
        if (_guessDraws is not null) _shadowed = _shadowed.Plus(Guessed, Right);
        else _lookedUp = _lookedUp.Plus(Guessed, Right);
        if (_lookedUpAt >= 0) _lookup!.Learn(Ids[_lookedUpAt..]);
        Cache!.Length = Math.Min(Cache.Length, _ids.Count - _start - 1); // a wrong guess is forgotten, and the last token is not read yet
    }

    /// <inheritdoc/>
    public override void Fail(Exception fault)
    {
        base.Fail(fault);
        _text.Release();
        _finish = FinishReason.Fault;
    }

    /// <inheritdoc/>
    public override void Cancel()
    {
        if (IsDone) return;
        _text.Release();
        _finish = FinishReason.Cancelled;
    }

    /// <inheritdoc/>
    public override string TakePiece() => _text.TakePiece();

    /// <inheritdoc/>
    protected override int GuessItself(in GuessTerms terms)
    {
        (Guessed, Right, _guessDraws, _lookedUpAt) = (0, 0, null, -1);
        int read = _start + Cache!.Length; // ids
        int room = Math.Min(Math.Min(MaxGuesses + 1, Cache.Capacity - Cache.Length), _options.MaxTokens - NewTokens) - 1;
        if (_lookup is null || room <= 0 || _ids.Count - read != 1) return 0;
        _lookedUpAt = _ids.Count;
        ReadOnlySpan<int> guess = _lookup.Guess(Ids, room);
        double gain = terms.ShadowGain;
        Guessed = terms.Account.Worthwhile(terms.Texts, guess.Length, step: 0, _lookup.Rightness, _lookup.Proven, ref gain);
        guess[..Guessed].CopyTo(_together.AsSpan(1));
        if (Guessed > 0 || terms.ShadowGuesses == 0 || NewTokens == 0) return 0; // the first token is not to wait for guesses of the second
        _guessDraws = _sampler.Draws.Copy();
        _guessProcessor?.Restart();
        return Math.Min(terms.ShadowGuesses, room);
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

    private ReadOnlySpan<int> WithGuess(int last, int max)
    {
        Guessed = Math.Min(Guessed, max - 1);
        _together[0] = last;
        FirstScored = 0;
        return _together.AsSpan(0, 1 + Guessed);
    }

    private void Take(int id, ReadOnlySpan<float> logits)
    {
        if (_endOfText.Contains(id))
        {
            Finish(FinishReason.EndOfText);
            return;
        }

        if (_scorer is not null) _tokens.Add(_scorer.TokenOf(_tokens.Count, logits, id));
        _ids.Add(id);
        _text.Append(id);
        if (_text.Stopped) _finish = FinishReason.Stop;
        else if (NewTokens == _options.MaxTokens) Finish(FinishReason.MaxTokens);
    }

    /// <summary>Tokens that were guessed, and those of them that were right.</summary>
    private readonly record struct DraftCount(int Guessed, int Right)
    {
        public DraftCount Plus(int guessed, int right) => new(Guessed + guessed, Right + right);
    }

    // Ends the text; what was still held back of it is certain now.
    private void Finish(FinishReason reason)
    {
        _text.Finish();
        _finish = _text.Stopped ? FinishReason.Stop : reason;
    }
}

using PicoGpt.Inference;
using PicoGpt.Tokens;

namespace PicoGpt.Measuring;

/// <summary>
/// A text that is being measured. It is read context by context, each beginning a stride after the one before; a position is scored
/// in the first context that it is in.
/// </summary>
internal sealed class MeasuredText : QueuedText
{
    private readonly int[] _ids; // what the model reads: <|endoftext|> and the text, or the text alone
    private readonly int _capacity;
    private readonly int _stride;
    private readonly TokenScore[] _scores; // of _ids[1..]
    private readonly int[] _contexts; // how many ids the model saw before each of _ids[1..]
    private int _start; // of the context, in _ids
    private int _scored;
    private int _asked; // scores that the step's rows so far are for

    public MeasuredText(string text, string? path, IReadOnlyList<Gpt2Token> tokens, int? startToken, int capacity, int stride)
    {
        (Text, Path, Tokens) = (text, path, tokens);
        IEnumerable<int> ids = tokens.Select(token => token.Id);
        _ids = startToken is { } first ? [first, .. ids] : [.. ids];
        (_capacity, _stride) = (capacity, stride);
        _scores = new TokenScore[Math.Max(_ids.Length - 1, 0)];
        _contexts = new int[_scores.Length];
    }

    public string Text { get; }

    public string? Path { get; }

    public IReadOnlyList<Gpt2Token> Tokens { get; }

    /// <summary>Tokens that are still to be scored.</summary>
    public int Unscored => IsFinished ? 0 : _scores.Length - _scored;

    /// <summary>Tokens at the beginning that cannot be scored: one where nothing stands before it.</summary>
    public int Unscorable => Tokens.Count - _scores.Length;

    /// <inheritdoc/>
    public override int MinRows => 0; // the first texts get as many rows as they can use, so that they are done first

    /// <inheritdoc/>
    public override ReadOnlySpan<int> Beginning => []; // what another text read has no logits any more

    /// <inheritdoc/>
    protected override bool IsDone => _scored == _scores.Length;

    // The last id is not read: nothing comes after it.
    private int End => Math.Min(_start + _capacity, _scores.Length);

    private int Read => _start + Cache!.Length;

    /// <inheritdoc/>
    public override ReadOnlySpan<int> Next(int max)
    {
        ReadOnlySpan<int> ids = _ids.AsSpan(Read, Math.Min(End - Read, max));
        FirstScored = Math.Clamp(_scored - Read, 0, ids.Length); // those before are read only to be looked back at
        _asked = _scored;
        return ids;
    }

    /// <summary>The token that stands after the next row that is scored.</summary>
    public int NextIdToScore() => _ids[++_asked];

    /// <summary>Takes the next score.</summary>
    public void Take(TokenScore score)
    {
        _scores[_scored] = score;
        _contexts[_scored] = _scored - _start + 1;
        _scored++;
    }

    /// <summary>Moves on to the next context when this one is read.</summary>
    public override void Settle(TimeSpan elapsed)
    {
        if (IsDone || Read < End) return;
        _start += _stride;
        Cache!.Length = 0;
    }

    /// <summary>What is known of a token.</summary>
    public Gpt2TokenMeasure MeasureOf(Gpt2Token token)
    {
        int at = token.Index - Unscorable;
        TokenScore? score = at < 0 || at >= _scored ? null : _scores[at];
        return new Gpt2TokenMeasure
        {
            Index = token.Index,
            Id = token.Id,
            Text = token.Text,
            Start = token.Start,
            Length = token.Length,
            LogProbability = score?.LogProbability,
            Entropy = score?.Entropy,
            Rank = score?.Rank,
            ContextLength = score is null ? 0 : _contexts[at],
            Top = score?.Top ?? [],
        };
    }
}

using PicoGpt.Inference;
using PicoGpt.Tokens;

namespace PicoGpt.Measuring;

/// <summary>
/// A text that is being measured. It is read context by context, each beginning a stride after the one before; a position is scored
/// in the first context that it is in.
/// </summary>
internal sealed class TextUnderWay
{
    private readonly int[] _ids; // what the model reads: <|endoftext|> and the text, or the text alone
    private readonly int _capacity;
    private readonly int _stride;
    private readonly TokenScore[] _scores; // of _ids[1..]
    private readonly int[] _contexts; // how many ids the model saw before each of _ids[1..]
    private int _start; // of the context, in _ids
    private int _scored;

    public TextUnderWay(string text, string? path, IReadOnlyList<Gpt2Token> tokens, int? startToken, int capacity, int stride)
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

    public bool IsFinished => _scored == _scores.Length;

    /// <summary>Tokens that are still to be scored.</summary>
    public int Unscored => _scores.Length - _scored;

    /// <summary>The keys and values of the context; only while the text is being read.</summary>
    public KeyValueCache? Cache { get; set; }

    /// <summary>Tokens at the beginning that cannot be scored: one where nothing stands before it.</summary>
    public int Unscorable => Tokens.Count - _scores.Length;

    // The last id is not read: nothing comes after it.
    private int End => Math.Min(_start + _capacity, _scores.Length);

    private int Read => _start + (Cache?.Length ?? 0);

    /// <summary>The ids to read next, no more than so many.</summary>
    public ReadOnlySpan<int> Next(int most) => _ids.AsSpan(Read, Math.Min(End - Read, most));

    /// <summary>How many of the next rows are read only to be looked back at.</summary>
    public int ScoredOf(int rows) => Math.Clamp(_scored - Read, 0, rows);

    /// <summary>The token that the next score is of, so many scores ahead.</summary>
    public int IdToScore(int ahead) => _ids[_scored + ahead + 1];

    /// <summary>Takes the next score.</summary>
    public void Take(TokenScore score)
    {
        _scores[_scored] = score;
        _contexts[_scored] = _scored - _start + 1;
        _scored++;
    }

    /// <summary>Moves on to the next context when this one is read.</summary>
    public void MoveOn()
    {
        if (IsFinished || Read < End) return;
        _start += _stride;
        Cache!.Length = 0;
    }

    /// <summary>What is known of a token.</summary>
    public Gpt2TokenMeasure MeasureOf(Gpt2Token token)
    {
        int at = token.Index - Unscorable;
        TokenScore? score = at < 0 ? null : _scores[at];
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
            ContextLength = at < 0 ? 0 : _contexts[at],
            Top = score?.Top ?? [],
        };
    }
}

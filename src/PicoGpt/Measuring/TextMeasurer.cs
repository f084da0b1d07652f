using System.Runtime.InteropServices;
using System.Text;
using PicoGpt.Inference;
using PicoGpt.Numerics;
using PicoGpt.Tokens;

namespace PicoGpt.Measuring;

/// <summary>
/// Measures how well a model foresees texts. Texts are read together, as many rows as the forward pass takes; each measure is the same,
/// to the last bit, as if its text had been measured alone, and they come in the order of their texts. For one thread at a time.
/// </summary>
public sealed class TextMeasurer : IDisposable
{
    private readonly Gpt2Model _model;
    private readonly MeasureOptions _options;
    private readonly Gpt2Forward _forward;
    private readonly ScoreJob _job;
    private readonly int? _startToken;
    private readonly int _stride;
    private readonly Queue<TextUnderWay> _inOrder = new();
    private readonly Stack<KeyValueCache> _spare = new();
    private readonly List<(TextUnderWay Text, int Row, int Rows)> _batch = [];
    private readonly List<(TextUnderWay Text, int Row, int Id)> _toScore = [];

    /// <summary>Prepares to measure.</summary>
    /// <param name="model">The model; it may be closed meanwhile.</param>
    /// <param name="options">How to measure; <see langword="null"/> for the defaults.</param>
    /// <param name="batchSize">The most texts that are read together, from 1 to 64.</param>
    /// <exception cref="Gpt2Exception">
    /// An option is out of its range, the vocabulary has no <c>&lt;|endoftext|&gt;</c> to start from, or a file of the model is not as it
    /// should be.
    /// </exception>
    public TextMeasurer(Gpt2Model model, MeasureOptions? options = null, int batchSize = 16)
        : this(model, options, batchSize, Kernels.Best)
    {
    }

    internal TextMeasurer(Gpt2Model model, MeasureOptions? options, int batchSize, Kernels kernels)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(batchSize, Gpt2Forward.MostLogits);
        _model = model;
        _options = options ?? new MeasureOptions();
        _options.Check(model);
        BatchSize = batchSize;
        _stride = _options.StrideIn(model.HyperParameters);
        _startToken = _options.NoStartToken ? null : StartTokenOf(model);
        _job = new ScoreJob(new TokenTexts(model.Encoder), _options.Top);
        _forward = new Gpt2Forward(model, _options.Threads, kernels);
    }

    /// <summary>The most texts that are read together.</summary>
    public int BatchSize { get; }

    /// <summary>Tokens that were measured so far, in all texts.</summary>
    public long TokensMeasured { get; private set; }

    /// <summary>Tokens that are to be measured still, in the texts that were added.</summary>
    public long TokensLeft => _inOrder.Sum(text => (long)text.Unscored);

    /// <summary>Whether it is time to advance before more is added: there is a measure to give out, or enough to read.</summary>
    public bool IsFull => IsNextReady || _inOrder.Count(text => !text.IsFinished) >= BatchSize || TokensLeft >= Gpt2Forward.MostRows;

    /// <summary>Whether no text is under way or waiting to be given out.</summary>
    public bool IsEmpty => _inOrder.Count == 0;

    private bool IsNextReady => _inOrder.TryPeek(out TextUnderWay? text) && text.IsFinished;

    /// <summary>Measures one text.</summary>
    /// <param name="model">The model.</param>
    /// <param name="text">The text.</param>
    /// <param name="options">How to measure; <see langword="null"/> for the defaults.</param>
    /// <param name="cancellationToken">Stops between two layers.</param>
    /// <returns>The measure.</returns>
    /// <exception cref="Gpt2Exception">An option is out of its range, or a file of the model is not as it should be.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static Gpt2TextMeasure Measure(
        Gpt2Model model, string text, MeasureOptions? options = null, CancellationToken cancellationToken = default)
    {
        using var measurer = new TextMeasurer(model, options, batchSize: 1);
        measurer.Add(text);
        while (true)
        {
            if (measurer.Advance(cancellationToken) is [Gpt2TextMeasure measure]) return measure;
        }
    }

    /// <summary>Adds a text.</summary>
    /// <param name="text">The text, of any length.</param>
    /// <param name="path">The file that it is from, if any.</param>
    /// <exception cref="Gpt2Exception">The text has a token that the vocabulary or the model does not have.</exception>
    public void Add(string text, string? path = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        IReadOnlyList<Gpt2Token> tokens = _model.Encoder.Tokenize(text, _options.AllowSpecial);
        int n_vocab = _model.HyperParameters.NVocab;
        if (tokens.FirstOrDefault(token => token.Id >= n_vocab) is { } beyond)
        {
            throw new Gpt2Exception(
                Gpt2Error.InvalidToken,
                $"The token '{beyond.Text}' has the id {beyond.Id}, but {_model.Name} has a vocabulary of {n_vocab} (0 to {n_vocab - 1}).",
                path);
        }

        _inOrder.Enqueue(new TextUnderWay(text, path, tokens, _startToken, _model.HyperParameters.NCtx, _stride));
    }

    /// <summary>Reads on: no more than a few hundred tokens.</summary>
    /// <param name="cancellationToken">Stops between two layers; the texts under way cannot be gone on with then.</param>
    /// <returns>The measures that are now ready, in the order of their texts; often none.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public IReadOnlyList<Gpt2TextMeasure> Advance(CancellationToken cancellationToken = default)
    {
        if (IsNextReady) return TakeFinished();
        Read(cancellationToken);
        Score(cancellationToken);
        foreach ((TextUnderWay text, _, _) in _batch)
        {
            text.MoveOn();
            if (text.IsFinished) Release(text);
        }

        return TakeFinished();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (TextUnderWay text in _inOrder) text.Cache?.Dispose();
        foreach (KeyValueCache cache in _spare) cache.Dispose();
        _forward.Dispose();
    }

    private static int StartTokenOf(Gpt2Model model) => model.Encoder.EndOfText ?? throw new Gpt2Exception(
        Gpt2Error.InvalidArgument,
        $"The vocabulary of {model.Name} has no <|endoftext|> to put before a text; "
            + "leave it out with NoStartToken, which leaves the first token unmeasured.",
        model.Path);

    // The first texts get as many rows as they can use, so that they are done first.
    private void Read(CancellationToken cancellationToken)
    {
        _batch.Clear();
        _toScore.Clear();
        _forward.Begin();
        int room = Gpt2Forward.MostRows;
        foreach (TextUnderWay text in _inOrder.Where(text => !text.IsFinished).Take(BatchSize))
        {
            if (room == 0) break;
            ReadOnlySpan<int> ids = text.Next(room);
            int scored = text.ScoredOf(ids.Length);
            text.Cache ??= _spare.TryPop(out KeyValueCache? spare) ? spare : _forward.NewCache();
            int row = _forward.Add(text.Cache, ids);
            for (int i = scored; i < ids.Length; i++) _toScore.Add((text, row + i, text.IdToScore(i - scored)));
            _batch.Add((text, row, ids.Length));
            room -= ids.Length;
        }

        if (_batch.Count > 0) _forward.Run(cancellationToken);
    }

    private void Score(CancellationToken cancellationToken)
    {
        Span<int> rows = stackalloc int[Gpt2Forward.MostLogits];
        for (int first = 0; first < _toScore.Count; first += rows.Length)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ReadOnlySpan<(TextUnderWay Text, int Row, int Id)> some =
                CollectionsMarshal.AsSpan(_toScore).Slice(first, Math.Min(rows.Length, _toScore.Count - first));
            for (int i = 0; i < some.Length; i++) (rows[i], _job.Ids[i]) = (some[i].Row, some[i].Id);
            _job.Logits = _forward.Logits(rows[..some.Length]); // [some, n_vocab]
            _forward.Run(_job);
            for (int i = 0; i < some.Length; i++) some[i].Text.Take(_job.Scores[i]);
        }

        TokensMeasured += _toScore.Count;
    }

    private void Release(TextUnderWay text)
    {
        text.Cache!.Length = 0;
        _spare.Push(text.Cache);
        text.Cache = null;
    }

    private List<Gpt2TextMeasure> TakeFinished()
    {
        List<Gpt2TextMeasure> measures = [];
        while (IsNextReady) measures.Add(MeasureOf(_inOrder.Dequeue()));
        return measures;
    }

    private Gpt2TextMeasure MeasureOf(TextUnderWay text)
    {
        Gpt2TokenMeasure[] tokens = [.. text.Tokens.Select(text.MeasureOf)];
        Gpt2Token[] measured = [.. text.Tokens.Skip(text.Unscorable)];
        return new Gpt2TextMeasure
        {
            Model = _model.Name,
            Precision = _model.Precision,
            Path = text.Path,
            Text = text.Text,
            Tokens = tokens,
            Stride = _stride,
            TokenCount = measured.Length,
            CharacterCount = measured.Sum(token => Characters(text.Text.AsSpan(token.Start, token.Length))),
            ByteCount = measured.Sum(token => token.Bytes.Count),
            LogProbability = tokens.Sum(token => token.LogProbability ?? 0), // in the order of the tokens
        };
    }

    private static int Characters(ReadOnlySpan<char> text)
    {
        int count = 0;
        foreach (Rune _ in text.EnumerateRunes()) count++;
        return count;
    }
}

using System.Runtime.ExceptionServices;
using System.Text;
using PicoGpt.Inference;
using PicoGpt.Numerics;
using PicoGpt.Tokens;

namespace PicoGpt.Measuring;

/// <summary>
/// Measures how well a model predicts texts. Texts are read together, as many rows as the forward pass takes; each measure is the same,
/// to the last bit, as if its text had been measured alone, and they come in the order of their texts. For one thread at a time.
/// </summary>
public sealed class TextMeasurer : IDisposable
{
    private readonly Gpt2Model _model;
    private readonly MeasureOptions _options;
    private readonly ScoreJob _job;
    private readonly int? _startToken;
    private readonly int _stride;
    private readonly LogitsCheck _check;
    private readonly TextDriver<MeasuredText> _driver;

    /// <summary>Prepares to measure.</summary>
    /// <param name="model">The model; it may be closed meanwhile.</param>
    /// <param name="options">How to measure; <see langword="null"/> for the defaults.</param>
    /// <param name="batchSize">The most texts that are read together, from 1 to 64.</param>
    /// <exception cref="ArgumentOutOfRangeException">The batch size is not from 1 to 64.</exception>
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
        ArgumentOutOfRangeException.ThrowIfGreaterThan(batchSize, Gpt2Forward.MaxLogits);
        _model = model;
        _options = options ?? new MeasureOptions();
        _options.Validate(model);
        BatchSize = batchSize;
        _stride = _options.StrideIn(model.HyperParameters);
        _startToken = _options.NoStartToken ? null : StartTokenOf(model);
        _job = new ScoreJob(new TokenScorer(new TokenTexts(model.Encoder), _options.Top));
        IForwardHook? hook = HookChain.Of(model, _options.Interventions, model.HyperParameters.NCtx);
        _check = new LogitsCheck(model, isChanged: hook is not null);
        _driver = new TextDriver<MeasuredText>(new Gpt2Forward(model, _options.Threads, kernels) { Hook = hook }, batchSize, Score);
    }

    /// <summary>The most texts that are read together.</summary>
    public int BatchSize { get; }

    /// <summary>Tokens that were measured so far, in all texts.</summary>
    public long TokensMeasured { get; private set; }

    /// <summary>Tokens that are to be measured still, in the texts that were added.</summary>
    public long TokensLeft => _driver.Texts.Sum(text => (long)text.Unscored);

    /// <summary>Whether it is time to advance before more is added: there is a measure to give out, or enough to read.</summary>
    public bool IsFull => _driver.IsNextReady || _driver.Unfinished >= BatchSize || TokensLeft >= Gpt2Forward.MaxRows;

    /// <summary>Whether no text is under way or waiting to be given out.</summary>
    public bool IsEmpty => _driver.IsEmpty;

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
            if (measurer.Advance(cancellationToken) is not [Gpt2TextMeasure measure]) continue;
            if (measure.Fault is { } fault) ExceptionDispatchInfo.Throw(fault);
            return measure;
        }
    }

    /// <summary>Adds a text.</summary>
    /// <param name="text">The text, of any length.</param>
    /// <param name="path">The file that it is from, if any.</param>
    /// <exception cref="Gpt2Exception">The text has a token that the vocabulary or the model does not have.</exception>
    public void Add(string text, string? path = null) => Add(Prepare(text, path));

    /// <summary>Cuts a text into tokens, and makes sure that the model can read it.</summary>
    /// <inheritdoc cref="Add(string, string?)"/>
    /// <returns>The text, to be added.</returns>
    internal MeasuredText Prepare(string text, string? path)
    {
        ArgumentNullException.ThrowIfNull(text);
        IReadOnlyList<Gpt2Token> tokens = _model.Encoder.Tokenize(text, _options.AllowSpecial, withPrefix: false);
        int n_vocab = _model.HyperParameters.NVocab;
        if (tokens.FirstOrDefault(token => token.Id >= n_vocab) is { } beyond)
        {
            throw new Gpt2Exception(
                Gpt2Error.InvalidToken,
                $"The token '{beyond.Text}' has the id {beyond.Id}, but {_model.Name} has a vocabulary of {n_vocab} (0 to {n_vocab - 1}).",
                path);
        }

        var measured = new MeasuredText(text, path, tokens, _startToken, _model.HyperParameters.NCtx, _stride);
        foreach (ForwardChange change in _options.Interventions) change.CheckReach(Math.Min(measured.Unscored, _model.HyperParameters.NCtx));
        return measured;
    }

    /// <summary>Adds a text that was prepared.</summary>
    internal void Add(MeasuredText text) => _driver.Add(text);

    /// <summary>Reads on: no more than a few hundred tokens.</summary>
    /// <param name="cancellationToken">Stops between two layers; what was measured before is kept.</param>
    /// <returns>
    /// The measures that are now ready, in the order of their texts; often none. One that a fault ended has its
    /// <see cref="Gpt2TextMeasure.Fault"/>; the others continue.
    /// </returns>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public IReadOnlyList<Gpt2TextMeasure> Advance(CancellationToken cancellationToken = default) =>
        [.. _driver.Advance(cancellationToken).Select(MeasureOf)];

    /// <inheritdoc/>
    public void Dispose() => _driver.Dispose();

    private static int StartTokenOf(Gpt2Model model) => model.SpecialIds.Begin ?? throw new Gpt2Exception(
        Gpt2Error.InvalidArgument,
        $"The vocabulary of {model.Name} has no <|endoftext|> to put before a text; "
            + "leave it out with NoStartToken, which leaves the first token unmeasured.",
        model.Path);

    private void Score(ReadOnlySpan<MeasuredText> texts, Matrix logits) // [texts, n_vocab]
    {
        for (int i = 0; i < texts.Length; i++) _job.Ids[i] = texts[i].NextIdToScore();
        _job.Logits = logits;
        _driver.Run(_job);
        for (int i = 0; i < texts.Length; i++) Take(texts[i], _job.Scores[i], logits.Row(i));
    }

    private void Take(MeasuredText text, TokenScore score, ReadOnlySpan<float> logits)
    {
        if (_check.FaultOf(logits) is { } notNumbers) text.Fail(notNumbers);
        if (text.Fault is not null) return;
        text.Take(score);
        TokensMeasured++;
    }

    private Gpt2TextMeasure MeasureOf(MeasuredText text)
    {
        Gpt2TokenMeasure[] tokens = [.. text.Tokens.Select(text.MeasureOf)];
        Gpt2Token[] measured = [.. text.Tokens.Where(token => tokens[token.Index].LogProbability is not null)];
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
            Fault = text.Fault,
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

using PicoGpt.Inference;
using PicoGpt.Numerics;
using PicoGpt.Training;

namespace PicoGpt.Circuits;

/// <summary>
/// What the tokens of a text add to a score, by its gradient for their rows of <c>wte</c>. The embeddings of the positions stay as they are.
/// </summary>
internal sealed class GradientAttribution : IDisposable
{
    private readonly Gpt2Model _model;
    private readonly TokenAttributionOptions _options;
    private readonly InputGradient _gradient;
    private readonly int _batch, _size, _width;
    private readonly float[] _input, _baseline, _positions; // [n_seq, n_embd]
    private AnswerScore? _score;

    private GradientAttribution(Gpt2Model model, ReadText read, TokenAttributionOptions options)
    {
        (_model, _options, _width) = (model, options, model.HyperParameters.NEmbd);
        int n = read.Ids.Length;
        int[]? baseline = options.Baseline is null ? null : BaselineOf(model, options, n);
        _size = n * _width;
        _batch = Math.Clamp(Gpt2Forward.MaxRows / n, 1, Gpt2Forward.MaxLogits);
        _gradient = new InputGradient(model, _batch, n, options.Threads, Kernels.Best);
        _input = RowsOf(_gradient.Parameters.Wte.Plain, read.Ids);
        _baseline = baseline is null ? new float[_size] : RowsOf(_gradient.Parameters.Wte.Plain, baseline);
        _positions = RowsOf(_gradient.Parameters.Wpe.Plain, [.. Enumerable.Range(0, n)]);
    }

    /// <summary>What the tokens of a text add.</summary>
    /// <exception cref="Gpt2Exception">
    /// An answer is not one token, the baseline has not as many tokens as the text, or the model is held in less than float32.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static AttributedTokens Of(Gpt2Model model, ReadText read, TokenAttributionOptions options, CancellationToken cancellationToken)
    {
        using var attribution = new GradientAttribution(model, read, options);
        return options.Method == AttributionMethod.IntegratedGradients ? attribution.Integrated(cancellationToken) : attribution.AtInput(cancellationToken);
    }

    public void Dispose() => _gradient.Dispose();

    private AttributedTokens AtInput(CancellationToken cancellationToken)
    {
        (double score, float[] gradient) = At([1], cancellationToken)[0];
        return new AttributedTokens(_score!, Parts(_input, i => gradient[i]), [new(AttributedTokens.Whole, score)]);
    }

    private AttributedTokens Integrated(CancellationToken cancellationToken)
    {
        double whole = At([1], cancellationToken)[0].Score, start = At([0], cancellationToken)[0].Score;
        double[] mean = new double[_size];
        int done = 0;
        foreach (double[] shares in Enumerable.Range(0, _options.Steps).Select(step => (step + 0.5) / _options.Steps).Chunk(_batch))
        {
            foreach ((_, float[] gradient) in At(shares, cancellationToken))
            {
                for (int i = 0; i < _size; i++) mean[i] += gradient[i] / (double)_options.Steps;
            }

            done += shares.Length;
            _options.Progress?.Invoke((double)done / _options.Steps);
        }

        double[] parts = Parts([.. _input.Zip(_baseline, (to, from) => to - from)], i => mean[i]);
        return new AttributedTokens(
            _score!, parts, [new(AttributedTokens.Whole, whole), new("baseline", start), new("not attributed", whole - start - parts.Sum())]);
    }

    // The scores at shares of the way from the baseline to the text, and their gradients: [shares][n_seq, n_embd].
    private (double Score, float[] Gradient)[] At(double[] shares, CancellationToken cancellationToken)
    {
        float[] residual = new float[shares.Length * _size];
        for (int i = 0; i < residual.Length; i++)
        {
            int at = i % _size;
            residual[i] = (float)(_baseline[at] + (shares[i / _size] * ((double)_input[at] - _baseline[at]))) + _positions[at];
        }

        double[] scores = _gradient.Run(residual, Score, cancellationToken);
        return [.. scores.Select((score, i) => (score, residual[(i * _size)..((i + 1) * _size)]))];
    }

    private double Score(Span<float> logits) => (_score ??= AnswerScore.Of(_model, _options, logits)).Differentiate(logits);

    // [n_seq, n_embd] -> [n_seq]
    private double[] Parts(float[] way, Func<int, double> gradient)
    {
        double[] parts = new double[_size / _width];
        for (int i = 0; i < _size; i++) parts[i / _width] += way[i] * gradient(i);
        return parts;
    }

    private static float[] RowsOf(Matrix embedding, int[] ids) => [.. ids.SelectMany(id => embedding.Row(id).ToArray())];

    private static int[] BaselineOf(Gpt2Model model, TokenAttributionOptions options, int tokens)
    {
        int[] ids = new ReadText(model, options.Baseline!, options.AllowSpecial).Ids;
        if (ids.Length == tokens) return ids;
        throw new Gpt2Exception(
            Gpt2Error.InvalidArgument, $"The text has {tokens} tokens and its baseline {ids.Length}; give a baseline of as many tokens, so that each has one to begin from.");
    }
}

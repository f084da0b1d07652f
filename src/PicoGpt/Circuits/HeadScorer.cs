using PicoGpt.Architecture;
using PicoGpt.Inference;
using PicoGpt.Numerics;

namespace PicoGpt.Circuits;

/// <summary>
/// Sums what each head looks at in texts of a first token and some tokens twice. A text's rows are kept apart until it is read, and summed
/// in their order, for heads and rows are visited in any.
/// </summary>
internal sealed class HeadScorer(Gpt2HyperParameters h, int length) : IForwardHook
{
    private const int Kinds = 4;

    private readonly float[] _seen = new float[h.NLayer * h.NHead * ((2 * length) + 1) * Kinds];
    private readonly double[] _sums = new double[h.NLayer * h.NHead * Kinds];
    private int _texts;

    private int Rows => (2 * length) + 1;

    /// <inheritdoc/>
    public bool Wants(ActivationSite site, int layer) => site == ActivationSite.Pattern;

    /// <inheritdoc/>
    public void Visit(ActivationSite site, int layer, Matrix values, ReadOnlySpan<RowPlace> rows)
    {
    }

    /// <inheritdoc/>
    public void VisitPattern(int layer, int head, RowPlace row, Span<float> weights)
    {
        int t = row.Position;
        Span<float> seen = _seen.AsSpan(((((layer * h.NHead) + head) * Rows) + t) * Kinds, Kinds);
        seen[0] = t > 0 ? weights[t - 1] : 0;
        seen[1] = t > length ? weights[t - length] : 0;
        seen[2] = t > length ? weights[t - length + 1] : 0;
        seen[3] = t > 0 ? weights[0] : 0;
    }

    /// <summary>Adds the text that was read.</summary>
    public void EndText()
    {
        for (int i = 0; i < _seen.Length; i++) _sums[(i / (Rows * Kinds) * Kinds) + (i % Kinds)] += _seen[i];
        _texts++;
    }

    /// <summary>The means of a head.</summary>
    public Gpt2HeadScore ScoreOf(int layer, int head)
    {
        ReadOnlySpan<double> sums = _sums.AsSpan(((layer * h.NHead) + head) * Kinds, Kinds);
        double all = 2.0 * length * _texts, second = (double)length * _texts;
        return new Gpt2HeadScore(layer, head, sums[0] / all, sums[1] / second, sums[2] / second, sums[3] / all);
    }
}

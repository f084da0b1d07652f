using PicoGpt.Architecture;
using PicoGpt.Inference;

namespace PicoGpt.Circuits;

/// <summary>
/// The direction of the residual stream that is a token's logit, or the difference of two: the token's row of the output projection taken
/// back through the last layer norm, whose scale is that of one residual stream. In double precision.
/// </summary>
internal sealed class LogitDirection
{
    private readonly double[] _values;

    /// <param name="parameters">The weights.</param>
    /// <param name="h">The shape.</param>
    /// <param name="token">The token.</param>
    /// <param name="against">The token that is subtracted, if any.</param>
    /// <param name="residual">The residual stream before the last layer norm: [n_embd].</param>
    public unsafe LogitDirection(Gpt2Tree<PinnedWeight> parameters, Gpt2HyperParameters h, int token, int? against, ReadOnlySpan<float> residual)
    {
        double[] u = RowOf(parameters.LmHead, token, h.NEmbd);
        if (against is { } other) u = [.. u.Zip(RowOf(parameters.LmHead, other, h.NEmbd), (a, b) => a - b)];
        double mean = 0, variance = 0;
        foreach (float value in residual) mean += (double)value / residual.Length;
        foreach (float value in residual) variance += (value - mean) * (value - mean) / residual.Length;
        double scale = 1 / Math.Sqrt(variance + h.LayerNormEpsilon);
        float* g = parameters.LnF.G.Vector, b = parameters.LnF.B.Vector;
        _values = [.. u.Select((value, i) => value * g[i])];
        double center = _values.Average(); // the layer norm subtracts the mean
        for (int i = 0; i < _values.Length; i++) _values[i] = (_values[i] - center) * scale;
        for (int i = 0; b is not null && i < u.Length; i++) Bias += u[i] * b[i];
    }

    /// <summary>What the bias of the last layer norm adds.</summary>
    public double Bias { get; }

    /// <summary>What a part of the residual stream adds: [n_embd].</summary>
    public double Dot(ReadOnlySpan<float> part)
    {
        double sum = 0;
        for (int i = 0; i < _values.Length; i++) sum += part[i] * _values[i];
        return sum;
    }

    /// <summary>What a bias adds; 0 where the model has none.</summary>
    public unsafe double Dot(PinnedWeight bias) => bias.Vector is null ? 0 : Dot(new ReadOnlySpan<float>(bias.Vector, _values.Length));

    /// <summary>The direction taken back through a projection: [n_in, n_embd] -> [n_in].</summary>
    public double[] Through(PinnedWeight w)
    {
        int rows = w.IsPacked ? w.Packed.Rows : w.Plain.Rows;
        double[] result = new double[rows];
        if (!w.IsPacked)
        {
            for (int i = 0; i < rows; i++) result[i] = Dot(w.Plain.Row(i));
            return result;
        }

        float[] column = new float[rows];
        for (int o = 0; o < _values.Length; o++)
        {
            w.Packed.CopyColumn(o, column);
            for (int i = 0; i < rows; i++) result[i] += column[i] * _values[o];
        }

        return result;
    }

    private static double[] RowOf(PinnedWeight embedding, int token, int width)
    {
        float[] row = new float[width];
        if (embedding.IsPacked) embedding.Packed.CopyColumn(token, row);
        else embedding.Plain.Row(token).CopyTo(row);
        return [.. row.Select(value => (double)value)];
    }
}

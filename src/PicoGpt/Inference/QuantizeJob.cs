using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>Rounds what a matrix of integers is multiplied by, divided by rows.</summary>
/// <param name="kernels">The loops.</param>
internal sealed class QuantizeJob(Kernels kernels) : Job
{
    public Matrix X { get; set; }

    public QuantizedMatrix Y { get; set; }

    public override void Execute(int part, int parts)
    {
        (int from, int to) = Share(X.Rows, part, parts, IsByRows(X.Rows, parts) ? Kernels.TileRows : 1);
        kernels.Quantize(X, Y, from, to);
    }

    /// <summary>
    /// What a thread multiplies. A single row it rounds by itself: that takes less time than to get what another thread has written.
    /// </summary>
    public static QuantizedMatrix Rounded(Kernels kernels, Matrix x, QuantizedMatrix quantized, int part)
    {
        if (quantized.Rows != 1) return quantized;
        QuantizedMatrix own = quantized.OfThread(part);
        kernels.Quantize(x, own, 0, 1);
        return own;
    }
}

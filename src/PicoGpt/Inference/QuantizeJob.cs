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
}

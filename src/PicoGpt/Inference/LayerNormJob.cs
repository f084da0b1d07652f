using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>A layer norm, divided by rows.</summary>
/// <param name="kernels">The loops.</param>
/// <param name="epsilon">What is added to the variance.</param>
internal sealed unsafe class LayerNormJob(Kernels kernels, float epsilon) : Job
{
    public Matrix X { get; set; }

    public PinnedWeight G { get; set; }

    public PinnedWeight B { get; set; }

    public Matrix Y { get; set; }

    public override void Execute(int part, int parts)
    {
        (int from, int to) = Share(X.Rows, part, parts, IsByRows(X.Rows, parts) ? Kernels.TileRows : 1);
        kernels.LayerNorm(X, G.Vector, B.Vector, epsilon, Y, from, to);
    }

    /// <summary>The layer norm of a single row in a row of a thread's own: that takes less time than to get what another thread has written.</summary>
    public Matrix OfThread(int part)
    {
        Matrix own = Y.Only(part);
        kernels.LayerNorm(X, G.Vector, B.Vector, epsilon, own, 0, 1);
        return own;
    }
}

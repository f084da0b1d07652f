using PicoGpt.Adapters;
using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>The first half of an adapter, <c>y = scale · x·aᵀ</c>, divided by rows.</summary>
/// <param name="kernels">The loops.</param>
internal sealed unsafe class LowRankJob(Kernels kernels) : Job
{
    /// <summary>[n, in].</summary>
    public Matrix X { get; set; }

    public LowRankPair Pair { get; set; }

    /// <summary>[n, rank].</summary>
    public Matrix Y { get; set; }

    public override void Execute(int part, int parts)
    {
        (int from, int to) = Share(X.Rows, part, parts);
        if (from < to) Run(kernels, X, Pair.A, Pair.Scale, Y, from, to);
    }

    /// <summary><c>y = scale · x·wᵀ</c>, of some rows.</summary>
    public static void Run(Kernels kernels, Matrix x, Matrix w, float scale, Matrix y, int from, int to)
    {
        kernels.MatMulTransposed(x.Skip(from).Take(to - from), w, y.Skip(from).Take(to - from), 0, w.Rows);
        for (int t = from; t < to; t++) kernels.Scale(y.RowPointer(t), scale, y.Columns);
    }
}

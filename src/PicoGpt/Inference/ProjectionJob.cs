using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>A projection, with what follows it on the same columns: <c>y = x·w + b</c>, then GELU or the residual sum.</summary>
internal sealed unsafe class ProjectionJob(Kernels kernels) : Job
{
    public Matrix X { get; set; }

    public PinnedWeight W { get; set; }

    public PinnedWeight B { get; set; }

    public Matrix Y { get; set; }

    /// <summary>Apply GELU to the result.</summary>
    public bool Gelu { get; set; }

    /// <summary>Where the result is added, or a matrix of no rows.</summary>
    public Matrix Residual { get; set; }

    public override void Execute(int part, int parts)
    {
        (int from, int to) = Share(Y.Columns, part, parts, Kernels.PanelColumns);
        if (from == to) return;
        if (W.IsPacked) kernels.MatMulPacked(X, W.Packed, B.Vector, Y, from, to);
        else kernels.MatMul(X, W.Plain, B.Vector, Y, from, to);
        for (int t = 0; Gelu && t < Y.Rows; t++) kernels.Gelu(Y.RowPointer(t) + from, to - from);
        for (int t = 0; t < Residual.Rows; t++) kernels.Add(Residual.RowPointer(t) + from, Y.RowPointer(t) + from, to - from);
    }
}

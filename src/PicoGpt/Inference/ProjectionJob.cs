using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>A projection, with what follows it on the same columns: <c>y = x·w + b</c>, then the activation or the residual sum.</summary>
/// <param name="kernels">The loops.</param>
/// <param name="activation">What is applied to results that ask for it.</param>
internal sealed unsafe class ProjectionJob(Kernels kernels, ActivationFunction activation) : Job
{
    public Matrix X { get; set; }

    /// <summary>The same in integers, where <see cref="W"/> is in integers; a matrix of no rows otherwise.</summary>
    public QuantizedMatrix Quantized { get; set; }

    public PinnedWeight W { get; set; }

    public PinnedWeight B { get; set; }

    /// <summary>What an adapter's second matrix multiplies, [n, rank]; a matrix of no rows where there is no adapter.</summary>
    public Matrix Narrow { get; set; }

    public Matrix Y { get; set; }

    /// <summary>Where the activation of the result goes, which may be <see cref="Y"/> itself; a matrix of no rows for nowhere.</summary>
    public Matrix Activated { get; set; }

    /// <summary>What the result is added to.</summary>
    public Matrix Residual { get; set; }

    /// <summary>Where that sum goes, which may be <see cref="Residual"/> itself; a matrix of no rows for nowhere.</summary>
    public Matrix Sum { get; set; }

    public override void Execute(int part, int parts)
    {
        (int from, int to) = Share(Y.Columns, part, parts, Kernels.PanelColumns);
        if (from == to) return;
        if (Quantized.Rows > 0) kernels.MatMulQuantized(Quantized, W.Packed, B.Vector, Y, from, to);
        else if (W.HasPanels) kernels.MatMulPacked(X, W.Packed, B.Vector, Y, from, to);
        else kernels.MatMul(X, W.Plain, B.Vector, Y, from, to);
        if (Narrow.Rows > 0) kernels.MatMulAdd(Narrow, W.LowRank.B, Y, from, to);
        if (Activated.Rows > 0) Activate(Y, Activated, from, to);
        if (Sum.Rows > 0) Add(Residual, Y, Sum, from, to);
    }

    /// <summary>The activation of x, in some columns.</summary>
    public void Activate(Matrix x, Matrix y, int from, int to)
    {
        for (int t = 0; t < y.Rows; t++)
        {
            Copy(x.RowPointer(t) + from, y.RowPointer(t) + from, to - from);
            kernels.Activate(activation, y.RowPointer(t) + from, to - from);
        }
    }

    /// <summary><c>y = x + added</c> in some columns.</summary>
    public void Add(Matrix x, Matrix added, Matrix y, int from, int to)
    {
        for (int t = 0; t < y.Rows; t++)
        {
            Copy(x.RowPointer(t) + from, y.RowPointer(t) + from, to - from);
            kernels.Add(y.RowPointer(t) + from, added.RowPointer(t) + from, to - from);
        }
    }

    private static void Copy(float* x, float* y, int count)
    {
        if (x != y) new ReadOnlySpan<float>(x, count).CopyTo(new Span<float>(y, count));
    }
}

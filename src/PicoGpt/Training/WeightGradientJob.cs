using PicoGpt.Numerics;

namespace PicoGpt.Training;

/// <summary>What a matrix and its bias have in the gradient, <c>dw += xᵀ · dy</c> and <c>db += Σ dy</c>, divided by columns.</summary>
/// <param name="kernels">The loops.</param>
internal sealed unsafe class WeightGradientJob(Kernels kernels) : Job
{
    /// <summary>The transposed input: [in, n_rows].</summary>
    public Matrix Xt { get; set; }

    public Matrix Dy { get; set; }

    /// <summary>The matrix's; of no rows where it is not wanted.</summary>
    public Matrix Dw { get; set; }

    /// <summary>The bias's; null where it is not wanted.</summary>
    public float* Db { get; set; }

    public override void Execute(int part, int parts)
    {
        (int from, int to) = Share(Dy.Columns, part, parts, Kernels.PanelColumns);
        if (from == to) return;
        if (Dw.Rows > 0) kernels.MatMulAdd(Xt, Dy, Dw, from, to);
        for (int t = 0; Db is not null && t < Dy.Rows; t++) kernels.Add(Db + from, Dy.RowPointer(t) + from, to - from);
    }
}

using PicoGpt.Inference;
using PicoGpt.Numerics;

namespace PicoGpt.Training;

/// <summary>The output projection backward, <c>dx = dlogits · w</c> and, where it is wanted, <c>dw += dlogitsᵀ · x</c>, divided by columns.</summary>
/// <param name="kernels">The loops.</param>
internal sealed unsafe class ClassifierGradientJob(Kernels kernels) : Job
{
    /// <summary>[n, n_vocab].</summary>
    public Matrix Dy { get; set; }

    /// <summary>The same transposed: [n_vocab, n].</summary>
    public Matrix Dyt { get; set; }

    /// <summary>The output projection: [n_vocab, n_embd].</summary>
    public PinnedWeight W { get; set; }

    /// <summary>What was projected: [n, n_embd].</summary>
    public Matrix X { get; set; }

    public Matrix Dx { get; set; }

    /// <summary>The output projection's part, which grows; without memory where it is not wanted.</summary>
    public Matrix Dw { get; set; }

    public override void Execute(int part, int parts)
    {
        (int from, int to) = Share(Dx.Columns, part, parts, Kernels.PanelColumns);
        if (from == to) return;
        kernels.MatMul(Dy, W.Plain, null, Dx, from, to);
        if (Dw.Data is not null) kernels.MatMulAdd(Dyt, X, Dw, from, to);
    }
}

using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>The projection to the vocabulary, <c>y = x · wteᵀ</c>, divided by tokens.</summary>
internal sealed class LogitsJob(Kernels kernels) : Job
{
    public Matrix X { get; set; }

    public Matrix Wte { get; set; }

    public Matrix Y { get; set; }

    public override void Execute(int part, int parts)
    {
        (int from, int to) = Share(Wte.Rows, part, parts, Kernels.Lanes);
        kernels.MatMulTransposed(X, Wte, Y, from, to);
    }
}

using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>A projection's weights at fixed addresses: w [n_in, n_out], b [n_out].</summary>
internal readonly unsafe struct PinnedLinear(Matrix w, float* b)
{
    public Matrix W { get; } = w;

    public float* B { get; } = b;
}

namespace PicoGpt.Inference;

/// <summary>A projection's weights at fixed addresses: w [n_in, n_out], b [n_out].</summary>
internal readonly unsafe struct PinnedLinear(PinnedMatrix w, float* b)
{
    public PinnedMatrix W { get; } = w;

    public float* B { get; } = b;
}

namespace PicoGpt.Inference;

/// <summary>A layer norm's weights at fixed addresses: g [n_embd], b [n_embd].</summary>
internal readonly unsafe struct PinnedLayerNorm(float* g, float* b)
{
    public float* G { get; } = g;

    public float* B { get; } = b;
}

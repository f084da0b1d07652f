namespace PicoGpt.Inference;

/// <summary>A transformer block's weights at fixed addresses.</summary>
internal readonly record struct PinnedBlock(
    PinnedLayerNorm Ln1, PinnedLinear CAttn, PinnedLinear AttnCProj, PinnedLayerNorm Ln2, PinnedLinear CFc, PinnedLinear MlpCProj);

using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>
/// The memory of what passes through a transformer block. Where nothing is kept, places that are not needed at the same time are the same
/// memory: the residual stream is one, both layer norms are, both additions to it, and the hidden values before and after GELU.
/// </summary>
internal sealed class BlockActivations
{
    /// <summary>The residual stream as it enters the block: [rows, n_embd].</summary>
    public required Matrix ResidualBefore { get; init; }

    /// <summary>The first layer norm: [rows, n_embd].</summary>
    public required Matrix Ln1 { get; init; }

    /// <summary>Queries, keys and values side by side: [rows, 3 n_embd].</summary>
    public required Matrix Qkv { get; init; }

    /// <summary>What the heads read, side by side: [rows, n_embd].</summary>
    public required Matrix Heads { get; init; }

    /// <summary>What attention adds to the residual stream: [rows, n_embd].</summary>
    public required Matrix Attention { get; init; }

    /// <summary>The residual stream between attention and mlp: [rows, n_embd].</summary>
    public required Matrix ResidualMiddle { get; init; }

    /// <summary>The second layer norm: [rows, n_embd].</summary>
    public required Matrix Ln2 { get; init; }

    /// <summary>The mlp's hidden values before the activation (GELU): [rows, n_inner].</summary>
    public required Matrix Hidden { get; init; }

    /// <summary>The mlp's hidden values after it: [rows, n_inner].</summary>
    public required Matrix Gelu { get; init; }

    /// <summary>What the mlp adds to the residual stream: [rows, n_embd].</summary>
    public required Matrix Mlp { get; init; }

    /// <summary>The residual stream as it leaves the block: [rows, n_embd].</summary>
    public required Matrix ResidualAfter { get; init; }
}

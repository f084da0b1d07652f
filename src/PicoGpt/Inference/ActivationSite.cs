namespace PicoGpt.Inference;

/// <summary>The places of a transformer block whose values an <see cref="IForwardObserver"/> sees, in the order of the pass.</summary>
internal enum ActivationSite
{
    /// <summary>The residual stream as it enters the block: [n_rows, n_embd].</summary>
    ResidualBefore,

    /// <summary>The first layer norm: [n_rows, n_embd].</summary>
    Ln1,

    /// <summary>Queries, keys and values side by side: [n_rows, 3 n_embd].</summary>
    Qkv,

    /// <summary>What the heads read, side by side: [n_rows, n_embd].</summary>
    Heads,

    /// <summary>What attention adds to the residual stream: [n_rows, n_embd].</summary>
    Attention,

    /// <summary>The residual stream between attention and mlp: [n_rows, n_embd].</summary>
    ResidualMiddle,

    /// <summary>The second layer norm: [n_rows, n_embd].</summary>
    Ln2,

    /// <summary>The mlp's hidden values before GELU: [n_rows, 4 n_embd].</summary>
    Hidden,

    /// <summary>The mlp's hidden values after GELU: [n_rows, 4 n_embd].</summary>
    Gelu,

    /// <summary>What the mlp adds to the residual stream: [n_rows, n_embd].</summary>
    Mlp,

    /// <summary>The residual stream as it leaves the block: [n_rows, n_embd].</summary>
    ResidualAfter,
}

namespace PicoGpt.Inference;

/// <summary>
/// The places of a pass where an <see cref="IForwardHook"/> sees and changes what passes, in the order of the pass. Where heads stand
/// side by side, head h has the columns from <c>h · head_size</c> on.
/// </summary>
internal enum ActivationSite
{
    /// <summary>The embeddings of the tokens: [n_rows, n_embd]. Outside the layers.</summary>
    TokenEmbedding,

    /// <summary>The embeddings of the positions: [n_rows, n_embd]. Outside the layers.</summary>
    PositionEmbedding,

    /// <summary>The residual stream as it enters the block: [n_rows, n_embd].</summary>
    ResidualBefore,

    /// <summary>The first layer norm: [n_rows, n_embd].</summary>
    Ln1,

    /// <summary>The heads' queries, side by side: [n_rows, n_embd].</summary>
    Query,

    /// <summary>The heads' keys, side by side, before they go into the cache: [n_rows, n_embd].</summary>
    Key,

    /// <summary>The heads' values, side by side, before they go into the cache: [n_rows, n_embd].</summary>
    Value,

    /// <summary>How much a position looks at each one up to itself, by head, after the softmax: <see cref="IForwardHook.VisitPattern"/>.</summary>
    Pattern,

    /// <summary>What the heads read, side by side: [n_rows, n_embd].</summary>
    Heads,

    /// <summary>What attention adds to the residual stream: [n_rows, n_embd].</summary>
    Attention,

    /// <summary>The residual stream between attention and mlp: [n_rows, n_embd].</summary>
    ResidualMiddle,

    /// <summary>The second layer norm: [n_rows, n_embd].</summary>
    Ln2,

    /// <summary>The mlp's hidden values before the activation (GELU): [n_rows, n_inner].</summary>
    Hidden,

    /// <summary>The mlp's hidden values after it: [n_rows, n_inner].</summary>
    Gelu,

    /// <summary>What the mlp adds to the residual stream: [n_rows, n_embd].</summary>
    Mlp,

    /// <summary>The residual stream as it leaves the block: [n_rows, n_embd].</summary>
    ResidualAfter,

    /// <summary>The final layer norm of the rows whose logits are wanted: [n, n_embd]. Outside the layers.</summary>
    FinalNorm,

    /// <summary>The logits of those rows: [n, n_vocab]. Outside the layers.</summary>
    Logits,
}

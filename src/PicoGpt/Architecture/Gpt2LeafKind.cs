namespace PicoGpt.Architecture;

/// <summary>What a weight does; how it is initialized, held, exported and decayed follows from it.</summary>
internal enum Gpt2LeafKind
{
    /// <summary>A vector for every token, <c>[n_vocab, n_embd]</c>; the logits multiply by its transpose.</summary>
    TokenEmbedding,

    /// <summary>A vector for every position, <c>[n_ctx, n_embd]</c>.</summary>
    PositionEmbedding,

    /// <summary>The matrix of a projection, <c>[in, out]</c>.</summary>
    Projection,

    /// <summary>The gain of a layer norm.</summary>
    Gain,

    /// <summary>What a projection or a layer norm adds.</summary>
    Bias,
}

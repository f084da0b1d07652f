namespace PicoGpt.Weights;

/// <summary>One transformer block.</summary>
/// <param name="Ln1">The norm before the attention.</param>
/// <param name="Attn">The attention.</param>
/// <param name="Ln2">The norm before the feed-forward network.</param>
/// <param name="Mlp">The feed-forward network.</param>
public sealed record Gpt2Block(Gpt2LayerNorm Ln1, Gpt2Attention Attn, Gpt2LayerNorm Ln2, Gpt2Mlp Mlp);

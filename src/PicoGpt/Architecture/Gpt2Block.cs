namespace PicoGpt.Architecture;

/// <summary>One transformer block.</summary>
/// <typeparam name="T">What stands for each weight.</typeparam>
/// <param name="Ln1">The norm before the attention.</param>
/// <param name="Attn">The attention.</param>
/// <param name="Ln2">The norm before the feed-forward network.</param>
/// <param name="Mlp">The feed-forward network.</param>
public sealed record Gpt2Block<T>(Gpt2LayerNorm<T> Ln1, Gpt2Attention<T> Attn, Gpt2LayerNorm<T> Ln2, Gpt2Mlp<T> Mlp);

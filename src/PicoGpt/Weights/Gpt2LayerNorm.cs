namespace PicoGpt.Weights;

/// <summary>A layer norm's gain and bias.</summary>
/// <param name="G">The gain, <c>[n_embd]</c>.</param>
/// <param name="B">The bias, <c>[n_embd]</c>.</param>
public sealed record Gpt2LayerNorm(Gpt2Weight G, Gpt2Weight B);

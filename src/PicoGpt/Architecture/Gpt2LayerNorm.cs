namespace PicoGpt.Architecture;

/// <summary>A layer norm's gain and bias.</summary>
/// <typeparam name="T">What stands for each weight.</typeparam>
/// <param name="G">The gain, <c>[n_embd]</c>.</param>
/// <param name="B">The bias, <c>[n_embd]</c>; <see langword="default"/> where the model has no biases.</param>
public sealed record Gpt2LayerNorm<T>(T G, T? B);

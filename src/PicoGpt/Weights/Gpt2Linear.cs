namespace PicoGpt.Weights;

/// <summary>A projection <c>y = x·w + b</c>.</summary>
/// <param name="W">The matrix, <c>[in, out]</c>.</param>
/// <param name="B">The bias, <c>[out]</c>.</param>
public sealed record Gpt2Linear(Gpt2Weight W, Gpt2Weight B);

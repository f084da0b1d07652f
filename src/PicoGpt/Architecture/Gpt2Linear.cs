namespace PicoGpt.Architecture;

/// <summary>A projection <c>y = x·w + b</c>.</summary>
/// <typeparam name="T">What stands for each weight.</typeparam>
/// <param name="W">The matrix, <c>[in, out]</c>.</param>
/// <param name="B">The bias, <c>[out]</c>; <see langword="default"/> where the model has no biases.</param>
public sealed record Gpt2Linear<T>(T W, T? B);

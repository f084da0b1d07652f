namespace PicoGpt.Architecture;

/// <summary>The projections of a multi-head attention.</summary>
/// <typeparam name="T">What stands for each weight.</typeparam>
/// <param name="CAttn">To query, key and value: <c>[n_embd, 3 n_embd]</c>.</param>
/// <param name="CProj">Back to the residual stream: <c>[n_embd, n_embd]</c>.</param>
public sealed record Gpt2Attention<T>(Gpt2Linear<T> CAttn, Gpt2Linear<T> CProj);

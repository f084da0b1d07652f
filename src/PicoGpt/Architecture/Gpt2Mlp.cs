namespace PicoGpt.Architecture;

/// <summary>The projections of a position-wise feed-forward network.</summary>
/// <typeparam name="T">What stands for each weight.</typeparam>
/// <param name="CFc">Up: <c>[n_embd, n_inner]</c>.</param>
/// <param name="CProj">Down: <c>[n_inner, n_embd]</c>.</param>
public sealed record Gpt2Mlp<T>(Gpt2Linear<T> CFc, Gpt2Linear<T> CProj);

namespace PicoGpt.Weights;

/// <summary>The projections of a multi-head attention.</summary>
/// <param name="CAttn">To query, key and value: <c>[n_embd, 3 n_embd]</c>.</param>
/// <param name="CProj">Back to the residual stream: <c>[n_embd, n_embd]</c>.</param>
public sealed record Gpt2Attention(Gpt2Linear CAttn, Gpt2Linear CProj);

namespace PicoGpt.Weights;

/// <summary>The projections of a position-wise feed-forward network.</summary>
/// <param name="CFc">Up: <c>[n_embd, 4 n_embd]</c>.</param>
/// <param name="CProj">Down: <c>[4 n_embd, n_embd]</c>.</param>
public sealed record Gpt2Mlp(Gpt2Linear CFc, Gpt2Linear CProj);

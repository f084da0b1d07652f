namespace PicoGpt.Tracing;

/// <summary>
/// What a layer would say after a position, if the model ended there: <c>ln_f</c> and <c>wte</c> applied to the residual stream after
/// the layer (nostalgebraist, "interpreting GPT: the logit lens", 2020).
/// </summary>
/// <param name="Layer">The layer, from 0.</param>
/// <param name="Position">The position, from 0.</param>
/// <param name="Top">The likeliest tokens, the likeliest first; of equal ones the lower id.</param>
/// <param name="Entropy">How undecided it is, in bits.</param>
/// <param name="NextProbability">The probability of the token that follows in the text; <see langword="null"/> after the last.</param>
/// <param name="NextRank">That token's place among all, 1 for the likeliest; <see langword="null"/> after the last.</param>
public sealed record LensPrediction(
    int Layer, int Position, IReadOnlyList<LensToken> Top, double Entropy, double? NextProbability, int? NextRank)
{
    /// <inheritdoc/>
    public override string ToString() => Top[0].Text;
}

namespace PicoGpt.Circuits;

/// <summary>
/// What a head does in a text of random tokens that stands there twice, so that nothing but the repetition can be looked for
/// (C. Olsson and others, "In-context learning and induction heads", 2022; the scores as TransformerLens' head detector names them).
/// Each score is the mean share of its attention, from 0 to 1.
/// </summary>
/// <param name="Layer">The layer, from 0.</param>
/// <param name="Head">The head, from 0.</param>
/// <param name="PreviousToken">Attention to the token before.</param>
/// <param name="DuplicateToken">Attention, in the second half, to the same token in the first.</param>
/// <param name="Induction">Attention, in the second half, to the token after the same token in the first: the one that comes next.</param>
/// <param name="FirstToken">Attention to the first token of the text.</param>
public sealed record Gpt2HeadScore(int Layer, int Head, double PreviousToken, double DuplicateToken, double Induction, double FirstToken)
{
    /// <inheritdoc/>
    public override string ToString() => $"h{Layer} head {Head}";
}

namespace PicoGpt.Circuits;

/// <summary>What tokens add to a score.</summary>
/// <param name="Score">The score.</param>
/// <param name="Parts">What each token adds: [n_seq].</param>
/// <param name="Others">What belongs to it, by name.</param>
internal sealed record AttributedTokens(AnswerScore Score, double[] Parts, IReadOnlyList<KeyValuePair<string, double>> Others)
{
    /// <summary>The name of the score of the whole text.</summary>
    public const string Whole = "whole text";
}

namespace PicoGpt.Inference;

/// <summary>How far a beam is.</summary>
/// <param name="Ids">The prompt's ids and the generated ones.</param>
/// <param name="Sum">The log-probabilities of the generated ones, all together.</param>
/// <param name="Tokens">What the model said of each of them, where that is asked for.</param>
internal sealed record BeamState(int[] Ids, double Sum, GeneratedToken[] Tokens)
{
    /// <summary>A token further.</summary>
    public BeamState With(BeamCandidate next) => new([.. Ids, next.Id], next.Sum, next.Token is null ? Tokens : [.. Tokens, next.Token]);
}

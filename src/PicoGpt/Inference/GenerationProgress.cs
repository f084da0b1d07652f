namespace PicoGpt.Inference;

/// <summary>How far a generation is, at one moment.</summary>
/// <param name="PromptTokens">Tokens of the prompt.</param>
/// <param name="PromptTokensRead">Those that are read.</param>
/// <param name="NewTokens">Tokens that were generated.</param>
/// <param name="MaxTokens">The most that will be.</param>
/// <param name="TokensPerSecond">Generated tokens per second, the reading of the prompt left out; 0 before the second one.</param>
public readonly record struct GenerationProgress(int PromptTokens, int PromptTokensRead, int NewTokens, int MaxTokens, double TokensPerSecond)
{
    /// <summary>The time for the tokens that are left at most, or <see langword="null"/> where nothing can be said.</summary>
    public TimeSpan? TimeLeft => TokensPerSecond > 0 ? TimeSpan.FromSeconds(Math.Min((MaxTokens - NewTokens) / TokensPerSecond, int.MaxValue)) : null;
}

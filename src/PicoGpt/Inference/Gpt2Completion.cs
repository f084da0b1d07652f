namespace PicoGpt.Inference;

/// <summary>A prompt and what the model made of it.</summary>
public sealed record Gpt2Completion
{
    /// <summary>The name of the model.</summary>
    public required string Model { get; init; }

    /// <summary>The text that was given.</summary>
    public required string Prompt { get; init; }

    /// <summary>The text that was generated, without the prompt and without a stop string.</summary>
    public required string Text { get; init; }

    /// <summary>The prompt and the text together.</summary>
    public string FullText => Prompt + Text;

    /// <summary>The ids of the prompt.</summary>
    public required IReadOnlyList<int> PromptIds { get; init; }

    /// <summary>The ids that were generated; a closing <c>&lt;|endoftext|&gt;</c>, or another end of the model, is not among them.</summary>
    public required IReadOnlyList<int> Ids { get; init; }

    /// <summary>What the model said of each of <see cref="Ids"/>, where <see cref="GenerationOptions.TopLogProbs"/> asked for it.</summary>
    public IReadOnlyList<GeneratedToken> Tokens { get; init; } = [];

    /// <summary>
    /// Of a text that a beam search found, the sum of its log-probabilities divided by its length raised to the length penalty; an end of
    /// text that it closes with is counted.
    /// </summary>
    public double? BeamScore { get; init; }

    /// <summary>Why the text ends.</summary>
    public required FinishReason FinishReason { get; init; }

    /// <summary>What ended the text before its time, where <see cref="FinishReason"/> is <see cref="FinishReason.Fault"/>.</summary>
    public Exception? Fault { get; init; }

    /// <summary>The seed of the sampling, or <see langword="null"/> for greedy text, which needs none.</summary>
    public long? Seed { get; init; }

    /// <summary>Time to read the prompt and find the first token.</summary>
    public TimeSpan PrefillDuration { get; init; }

    /// <summary>Time for the tokens after the first.</summary>
    public TimeSpan DecodeDuration { get; init; }

    /// <summary>Tokens that were guessed from what stood already, right ones and wrong ones.</summary>
    public int LookupDrafted { get; init; }

    /// <summary>Tokens of <see cref="LookupDrafted"/> that proved right, so that they took next to no time.</summary>
    public int LookupAccepted { get; init; }

    /// <summary>Tokens that the model's reduced form guessed, right ones and wrong ones.</summary>
    public int ShadowDrafted { get; init; }

    /// <summary>Tokens of <see cref="ShadowDrafted"/> that proved right, so that they took a part of the time of a token.</summary>
    public int ShadowAccepted { get; init; }

    /// <summary>Tokens that were guessed and proved right: <see cref="LookupAccepted"/> and <see cref="ShadowAccepted"/>.</summary>
    public int SpeculatedTokens => LookupAccepted + ShadowAccepted;

    /// <summary>Tokens a second, the reading of the prompt left out; 0 where fewer than two tokens were made.</summary>
    public double TokensPerSecond => Ids.Count > 1 && DecodeDuration > TimeSpan.Zero ? (Ids.Count - 1) / DecodeDuration.TotalSeconds : 0;

    /// <summary>The generated text.</summary>
    /// <returns><see cref="Text"/>.</returns>
    public override string ToString() => Text;
}

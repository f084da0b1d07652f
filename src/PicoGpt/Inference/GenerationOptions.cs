namespace PicoGpt.Inference;

/// <summary>How to generate. The defaults are picoGPT's: greedy, 40 tokens.</summary>
public sealed record GenerationOptions
{
    /// <summary>The most tokens to make, 0 or more.</summary>
    public int MaxTokens { get; init; } = 40;

    /// <summary>0 takes the likeliest token always (greedy); otherwise logits are divided by it before sampling.</summary>
    public float Temperature { get; init; }

    /// <summary>Sample from so many of the likeliest tokens; 0 for all.</summary>
    public int TopK { get; init; }

    /// <summary>Sample from the likeliest tokens whose probabilities just reach this sum; 1 for all.</summary>
    public float TopP { get; init; } = 1f;

    /// <summary>The seed of the sampling: the same seed gives the same text on every machine; <see langword="null"/> draws one.</summary>
    public long? Seed { get; init; }

    /// <summary>Strings that end the text; they are not part of it.</summary>
    public IReadOnlyList<string> Stop { get; init; } = [];

    /// <summary>Go on when the model says <c>&lt;|endoftext|&gt;</c>.</summary>
    public bool IgnoreEndOfText { get; init; }

    /// <summary>What to do when the context is full.</summary>
    public ContextOverflow Overflow { get; init; }

    /// <summary>
    /// Guess tokens of greedy text from what stands already and verify them together, which is faster where text repeats
    /// itself. The tokens are the same with and without.
    /// </summary>
    public bool Speculation { get; init; } = true;

    /// <summary>Threads to compute with; 0 for one a physical core. The result does not depend on it.</summary>
    public int Threads { get; init; }

    /// <summary>Throws when a value is outside its range.</summary>
    /// <exception cref="Gpt2Exception">The sentence says which.</exception>
    internal void Validate()
    {
        Require(MaxTokens >= 0, $"MaxTokens is {MaxTokens}; give 0 or more.");
        Require(Temperature >= 0 && float.IsFinite(Temperature), $"Temperature is {Temperature}; give 0 (greedy) or more.");
        Require(TopK >= 0, $"TopK is {TopK}; give 0 (all tokens) or more.");
        Require(TopP is > 0 and <= 1, $"TopP is {TopP}; give more than 0 and at most 1 (all tokens).");
        Require(Threads >= 0, $"Threads is {Threads}; give 0 (one a physical core) or more.");
        Require(!Stop.Any(string.IsNullOrEmpty), "A stop string is empty; it would end every text before it begins.");
    }

    private static void Require(bool holds, string message)
    {
        if (!holds) throw new Gpt2Exception(Gpt2Error.InvalidArgument, message);
    }
}

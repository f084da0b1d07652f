namespace PicoGpt.Circuits;

/// <summary>What is attributed to the tokens of a text, and how.</summary>
public sealed record TokenAttributionOptions : AttributionOptions
{
    /// <summary>How many points of the way integrated gradients are the mean of by default.</summary>
    public const int DefaultSteps = 64;

    /// <summary>How.</summary>
    public AttributionMethod Method { get; init; }

    /// <summary>
    /// Where the way of <see cref="AttributionMethod.IntegratedGradients"/> begins: a text of as many tokens; embeddings of zeros where it is
    /// <see langword="null"/>.
    /// </summary>
    public string? Baseline { get; init; }

    /// <summary>How many points of that way are looked at; at least 1.</summary>
    public int Steps { get; init; } = DefaultSteps;

    /// <summary>Called with the share that is done, from 0 to 1, on the thread that attributes.</summary>
    public Action<double>? Progress { get; init; }
}

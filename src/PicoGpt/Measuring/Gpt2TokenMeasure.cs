using PicoGpt.Inference;
using PicoGpt.Numerics;

namespace PicoGpt.Measuring;

/// <summary>
/// A token of a text, and what the model made of it before it saw it. The numbers are <see langword="null"/> where nothing stood
/// before it.
/// </summary>
public sealed record Gpt2TokenMeasure
{
    /// <summary>Its place among the text's tokens, from 0.</summary>
    public required int Index { get; init; }

    /// <summary>Its number in the vocabulary.</summary>
    public required int Id { get; init; }

    /// <summary>Its text by itself; a part of a character is U+FFFD.</summary>
    public required string Text { get; init; }

    /// <summary>Where in the text, in UTF-16 units, the first character stands that begins in this token.</summary>
    public required int Start { get; init; }

    /// <summary>The UTF-16 units of all characters that begin in this token; 0 for a token in the middle of a character.</summary>
    public required int Length { get; init; }

    /// <summary>The natural logarithm of its probability.</summary>
    public double? LogProbability { get; init; }

    /// <summary>Its probability, from 0 to 1.</summary>
    public double? Probability => LogProbability is { } nats ? PortableMath.Exp(nats) : null;

    /// <summary>Its surprisal in bits: <c>-log₂</c> of its probability.</summary>
    public double? Surprisal => 0 - (LogProbability / PortableMath.Ln2); // taken from 0, so that a certain token's is not negative zero

    /// <summary>Its place among all tokens, 1 for the likeliest; of equal ones the lower id comes first.</summary>
    public int? Rank { get; init; }

    /// <summary>How undecided the model was, in bits: the surprisal that was to be expected.</summary>
    public double? Entropy { get; init; }

    /// <summary>How many tokens the model saw before it; <c>&lt;|endoftext|&gt;</c> at the beginning is one.</summary>
    public int ContextLength { get; init; }

    /// <summary>The likeliest tokens, the likeliest first; of equal ones the lower id.</summary>
    public IReadOnlyList<TokenAlternative> Top { get; init; } = [];

    /// <inheritdoc/>
    public override string ToString() => Text;
}

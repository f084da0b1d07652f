using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>
/// A token that was generated, and what the model itself said of it: by its logits as they are, before any penalty, bias or temperature,
/// as a measure of the text has it too.
/// </summary>
public sealed record GeneratedToken
{
    /// <summary>Its place among the generated tokens, from 0.</summary>
    public required int Index { get; init; }

    /// <summary>Its number in the vocabulary.</summary>
    public required int Id { get; init; }

    /// <summary>Its text by itself; a part of a character is U+FFFD.</summary>
    public required string Text { get; init; }

    /// <summary>The natural logarithm of its probability.</summary>
    public required double LogProbability { get; init; }

    /// <summary>Its probability, from 0 to 1.</summary>
    public double Probability => PortableMath.Exp(LogProbability);

    /// <summary>Its surprisal in bits: <c>-log₂</c> of its probability.</summary>
    public double Surprisal => 0 - (LogProbability / PortableMath.Ln2);

    /// <summary>Its place among all tokens, 1 for the likeliest; of equal ones the lower id comes first.</summary>
    public required int Rank { get; init; }

    /// <summary>How undecided the model was, in bits.</summary>
    public required double Entropy { get; init; }

    /// <summary>The likeliest tokens, the likeliest first; of equal ones the lower id.</summary>
    public IReadOnlyList<TokenAlternative> Top { get; init; } = [];

    /// <inheritdoc/>
    public override string ToString() => Text;
}

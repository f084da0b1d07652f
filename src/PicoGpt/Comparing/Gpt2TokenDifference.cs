namespace PicoGpt.Comparing;

/// <summary>
/// A part of a text that two models were surprised by: a token, or, where their vocabularies cut the text in different ways, the
/// shortest run of tokens that begins and ends in both.
/// </summary>
public sealed record Gpt2TokenDifference
{
    /// <summary>Its place among the parts of the text, from 0.</summary>
    public required int Index { get; init; }

    /// <summary>Its text.</summary>
    public required string Text { get; init; }

    /// <summary>Where it begins in the text, in UTF-16 units.</summary>
    public required int Start { get; init; }

    /// <summary>Its length in UTF-16 units.</summary>
    public required int Length { get; init; }

    /// <summary>How surprised the reference was, in bits; <see langword="null"/> where it was not measured.</summary>
    public required double? ReferenceSurprisal { get; init; }

    /// <summary>How surprised the model was, in bits; <see langword="null"/> where it was not measured.</summary>
    public required double? Surprisal { get; init; }

    /// <summary>How much more surprised the model was, in bits: below 0 where it found the part likelier.</summary>
    public double? Difference => Surprisal - ReferenceSurprisal;

    /// <inheritdoc/>
    public override string ToString() => Text;
}

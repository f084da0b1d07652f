using PicoGpt.Measuring;
using PicoGpt.Numerics;

namespace PicoGpt.Comparing;

/// <summary>
/// How well two models predict a text. All numbers are over what both have measured, so that they can be compared where the vocabularies
/// cut the text in different ways, too. What cannot be computed is <see langword="null"/>.
/// </summary>
public sealed record Gpt2TextDifference
{
    /// <summary>How many parts <see cref="MostDifferent"/> has at most.</summary>
    private const int Most = 10;

    /// <summary>The name of the model that is compared with.</summary>
    public required string Reference { get; init; }

    /// <summary>The name of the model.</summary>
    public required string Model { get; init; }

    /// <summary>The file that the text is from, if any.</summary>
    public string? Path { get; init; }

    /// <summary>The text.</summary>
    public required string Text { get; init; }

    /// <summary>Its tokens; where the vocabularies differ, the shortest runs of them that begin and end in both.</summary>
    public required IReadOnlyList<Gpt2TokenDifference> Tokens { get; init; }

    /// <summary>How many of <see cref="Tokens"/> both models have measured.</summary>
    public required int TokenCount { get; init; }

    /// <summary>How many bytes these have in UTF-8.</summary>
    public required int ByteCount { get; init; }

    /// <summary>The reference's cross-entropy in nats a token of its own.</summary>
    public required double? ReferenceCrossEntropy { get; init; }

    /// <summary>The model's cross-entropy in nats a token of its own.</summary>
    public required double? CrossEntropy { get; init; }

    /// <summary>The reference's perplexity: e to its cross-entropy.</summary>
    public double? ReferencePerplexity => ReferenceCrossEntropy is { } nats ? PortableMath.Exp(nats) : null;

    /// <summary>The model's perplexity: e to its cross-entropy.</summary>
    public double? Perplexity => CrossEntropy is { } nats ? PortableMath.Exp(nats) : null;

    /// <summary>Bits a byte of UTF-8 by the reference.</summary>
    public required double? ReferenceBitsPerByte { get; init; }

    /// <summary>Bits a byte of UTF-8 by the model.</summary>
    public required double? BitsPerByte { get; init; }

    /// <summary>How many bits a byte more the model takes: below 0 where it predicts the text better.</summary>
    public double? Difference => BitsPerByte - ReferenceBitsPerByte;

    /// <summary>
    /// The standard error of <see cref="Difference"/>: how far it would stray from text to text of this kind and length, if what the models
    /// differ by in a token did not depend on the tokens beside it. It is that of the mean of paired differences, s/√n.
    /// </summary>
    public required double? StandardError { get; init; }

    /// <summary>Up to ten of <see cref="Tokens"/>, in whose surprisal the models differ most, the greatest difference first.</summary>
    public IReadOnlyList<Gpt2TokenDifference> MostDifferent =>
        field ??= (Gpt2TokenDifference[]) // PowerShell can index an array
            [.. Tokens.Where(token => token.Difference is not null).OrderByDescending(token => Math.Abs(token.Difference!.Value)).Take(Most)];

    /// <summary>What the reference made of the text.</summary>
    public required Gpt2TextMeasure ReferenceMeasure { get; init; }

    /// <summary>What the model made of the text.</summary>
    public required Gpt2TextMeasure Measure { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Difference is { } bits
        ? FormattableString.Invariant($"{TokenCount} tokens, {bits:+0.000;-0.000;0.000} bits per byte")
        : FormattableString.Invariant($"{TokenCount} tokens");
}

namespace PicoGpt.Comparing;

/// <summary>
/// How a weight of a model differs from that of the model it is compared with, its reference. Norms are Frobenius norms: the root of the
/// sum of the squares of all values.
/// </summary>
public sealed record Gpt2WeightDifference
{
    /// <summary>The name of the model that is compared with.</summary>
    public required string Reference { get; init; }

    /// <summary>The name of the model.</summary>
    public required string Model { get; init; }

    /// <summary>The weight's name, such as <c>h0/attn/c_attn/w</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Its dimensions.</summary>
    public required IReadOnlyList<int> Shape { get; init; }

    /// <summary>How many values it has.</summary>
    public required long Count { get; init; }

    /// <summary>How many of them differ.</summary>
    public required long Changed { get; init; }

    /// <summary>The norm of the difference.</summary>
    public required double Norm { get; init; }

    /// <summary>The norm of the reference's weight.</summary>
    public required double ReferenceNorm { get; init; }

    /// <summary>The norm of the difference as a share of <see cref="ReferenceNorm"/>; <see langword="null"/> where that is 0.</summary>
    public double? Share => ReferenceNorm > 0 ? Norm / ReferenceNorm : null;

    /// <summary>
    /// The cosine of the angle between the two weights, as vectors: 1 where they point the same way. <see langword="null"/> where one is 0.
    /// </summary>
    public required double? Cosine { get; init; }

    /// <summary>The greatest difference of a value, without its sign.</summary>
    public required double Max { get; init; }

    /// <inheritdoc/>
    public override string ToString() => FormattableString.Invariant($"{Name}: {Norm:G4}");
}

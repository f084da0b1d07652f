using System.Globalization;

namespace PicoGpt.Checkpoints;

/// <summary>The dimensions of a tensor, outermost first; a value, compared by its dimensions. A scalar has none.</summary>
public sealed class TensorShape : IEquatable<TensorShape>
{
    /// <summary>The most dimensions that a tensor has in any format that is read: TensorFlow's bound.</summary>
    internal const int MaxRank = 254;

    private readonly long[] _dimensions;

    /// <summary>Creates a shape.</summary>
    /// <param name="dimensions">The size of each dimension, outermost first.</param>
    /// <exception cref="ArgumentException">A dimension is negative, there are more than 254, or the number of elements passes 2^63 − 1.</exception>
    public TensorShape(params ReadOnlySpan<long> dimensions)
    {
        if (!TryCountElements(dimensions, out long count))
            throw new ArgumentException($"dimensions must not be negative, nor more than {MaxRank}, nor their product pass 2^63 - 1", nameof(dimensions));

        _dimensions = dimensions.ToArray();
        ElementCount = count;
    }

    /// <summary>The size of each dimension, outermost first.</summary>
    public IReadOnlyList<long> Dimensions => _dimensions;

    /// <summary>The number of dimensions.</summary>
    public int Rank => _dimensions.Length;

    /// <summary>The product of the dimensions; 1 for a scalar.</summary>
    public long ElementCount { get; }

    /// <summary>The shape of a weight, whose dimensions are smaller numbers.</summary>
    internal static TensorShape Of(IEnumerable<int> dimensions) => new([.. dimensions.Select(length => (long)length)]);

    /// <summary>The size of one dimension.</summary>
    public long this[int dimension] => _dimensions[dimension];

    /// <summary>Whether both shapes have the same dimensions.</summary>
    public static bool operator ==(TensorShape? left, TensorShape? right) => left is null ? right is null : left.Equals(right);

    /// <summary>Whether the shapes differ.</summary>
    public static bool operator !=(TensorShape? left, TensorShape? right) => !(left == right);

    /// <inheritdoc/>
    public bool Equals(TensorShape? other) => other is not null && _dimensions.AsSpan().SequenceEqual(other._dimensions);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as TensorShape);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (long dimension in _dimensions)
            hash.Add(dimension);
        return hash.ToHashCode();
    }

    /// <summary>The dimensions as <c>[50257, 768]</c>; a scalar is <c>[]</c>.</summary>
    public override string ToString() =>
        "[" + string.Join(", ", _dimensions.Select(d => d.ToString(CultureInfo.InvariantCulture))) + "]";

    /// <summary>The product of the dimensions; false when one is negative, there are too many, or the product passes 2^63 − 1.</summary>
    internal static bool TryCountElements(ReadOnlySpan<long> dimensions, out long count)
    {
        count = 1;
        foreach (long dimension in dimensions)
        {
            if (dimension == 0) count = 0; // whatever the others are
        }

        if (dimensions.Length > MaxRank) return false;
        foreach (long dimension in dimensions)
        {
            if (dimension < 0 || (dimension > 0 && count > long.MaxValue / dimension)) return false;
            count *= dimension;
        }

        return true;
    }
}

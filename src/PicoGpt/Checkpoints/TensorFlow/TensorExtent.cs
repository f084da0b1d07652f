using System.Globalization;

namespace PicoGpt.Checkpoints.TensorFlow;

/// <summary>The part of one dimension that a slice covers (TensorSliceProto.Extent).</summary>
/// <param name="Start">The first index.</param>
/// <param name="Length">How many indices; <see langword="null"/> for the whole dimension.</param>
public readonly record struct TensorExtent(long Start, long? Length)
{
    /// <summary>The extent that covers a whole dimension.</summary>
    public static TensorExtent Whole => default;

    /// <summary>The extent as TensorFlow writes it: <c>0,5</c>, or <c>-</c> for the whole dimension.</summary>
    public override string ToString() =>
        Length is null ? "-" : string.Create(CultureInfo.InvariantCulture, $"{Start},{Length}");
}

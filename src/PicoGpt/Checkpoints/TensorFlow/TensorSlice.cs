namespace PicoGpt.Checkpoints.TensorFlow;

/// <summary>The part of a partitioned tensor that one piece holds: one extent a dimension (TensorSliceProto).</summary>
public sealed class TensorSlice
{
    private readonly TensorExtent[] _extents;

    /// <summary>Creates a slice.</summary>
    /// <param name="extents">One extent a dimension, outermost first.</param>
    public TensorSlice(params ReadOnlySpan<TensorExtent> extents) => _extents = extents.ToArray();

    /// <summary>One extent a dimension, outermost first.</summary>
    public IReadOnlyList<TensorExtent> Extents => _extents;

    /// <summary>The slice as TensorFlow writes it: <c>0,5:-</c>.</summary>
    public override string ToString() => string.Join(':', _extents);

    /// <summary>The shape of this slice of a tensor; false when it does not lie within the tensor.</summary>
    internal bool TryShapeWithin(TensorShape whole, out TensorShape shape)
    {
        shape = whole;
        if (_extents.Length != whole.Rank) return false;

        long[] lengths = new long[whole.Rank];
        for (int d = 0; d < lengths.Length; d++)
        {
            (long start, long? length) = _extents[d];
            lengths[d] = length ?? whole[d];
            if (start < 0 || lengths[d] < 0 || start > whole[d] || lengths[d] > whole[d] - start) return false;
        }

        shape = new TensorShape(lengths);
        return true;
    }

    /// <summary>Whether two slices of one tensor share an element.</summary>
    internal bool Overlaps(TensorSlice other, TensorShape whole)
    {
        for (int d = 0; d < whole.Rank; d++)
        {
            long start = _extents[d].Start, end = start + (_extents[d].Length ?? whole[d]);
            long otherStart = other._extents[d].Start, otherEnd = otherStart + (other._extents[d].Length ?? whole[d]);
            if (Math.Max(start, otherStart) >= Math.Min(end, otherEnd)) return false;
        }

        return true;
    }
}

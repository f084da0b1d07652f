namespace PicoGpt.Checkpoints;

/// <summary>Puts a slice of a partitioned tensor in its place.</summary>
internal static class SliceAssembly
{
    /// <summary>Copies a slice, row by row, into the whole tensor; both are row-major.</summary>
    /// <param name="whole">The bytes of the whole tensor.</param>
    /// <param name="wholeShape">Its shape; the slice lies within it.</param>
    /// <param name="piece">The bytes of the slice.</param>
    /// <param name="slice">Which part it is.</param>
    /// <param name="elementSize">The bytes of one element.</param>
    public static void Copy(Span<byte> whole, TensorShape wholeShape, ReadOnlySpan<byte> piece, TensorSlice slice, int elementSize)
    {
        if (piece.IsEmpty) return;
        if (wholeShape.Rank == 0)
            piece.CopyTo(whole);
        else
            Copy(whole, wholeShape, ref piece, slice, elementSize, dimension: 0, index: 0);
    }

    private static void Copy(
        Span<byte> whole, TensorShape shape, ref ReadOnlySpan<byte> piece, TensorSlice slice, int elementSize, int dimension, long index)
    {
        long start = slice.Extents[dimension].Start;
        long length = slice.Extents[dimension].Length ?? shape[dimension];
        if (dimension == shape.Rank - 1)
        {
            int rowBytes = (int)length * elementSize;
            piece[..rowBytes].CopyTo(whole[(int)(((index * shape[dimension]) + start) * elementSize)..]);
            piece = piece[rowBytes..];
            return;
        }

        for (long i = start; i < start + length; i++)
            Copy(whole, shape, ref piece, slice, elementSize, dimension + 1, (index * shape[dimension]) + i);
    }
}

namespace PicoGpt.Checkpoints.TensorFlow;

/// <summary>Checks the slices of a partitioned tensor and puts them in their places.</summary>
internal static class SliceAssembly
{
    /// <summary>Checks that the slices cover a tensor exactly: they are disjoint and have as many elements as it has.</summary>
    /// <exception cref="InvalidDataException">They do not, or one does not lie within the tensor.</exception>
    public static void CheckCover(TensorEntry whole)
    {
        Int128 elements = 0;
        for (int i = 0; i < whole.Slices.Count; i++)
        {
            TensorSlice slice = whole.Slices[i];
            if (!slice.TryShapeWithin(whole.Shape, out TensorShape shape))
                throw new InvalidDataException($"slice {slice} of tensor '{whole.Name}' does not lie within {whole.Shape}");

            elements += shape.ElementCount;
            for (int j = 0; j < i; j++)
            {
                if (slice.Overlaps(whole.Slices[j], whole.Shape))
                    throw new InvalidDataException($"slices {whole.Slices[j]} and {slice} of tensor '{whole.Name}' overlap");
            }
        }

        if (elements != whole.Shape.ElementCount)
        {
            throw new InvalidDataException(
                $"the slices of tensor '{whole.Name}' have {elements} elements of its {whole.Shape.ElementCount}");
        }
    }

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

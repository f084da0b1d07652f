namespace PicoGpt.Checkpoints.PyTorch;

/// <summary>A view of a storage as a file of PyTorch's describes it; unchecked.</summary>
/// <param name="Storage">The storage.</param>
/// <param name="Offset">The number of the first element.</param>
/// <param name="Shape">The dimensions.</param>
/// <param name="Strides">The elements from one index to the next, of each dimension.</param>
internal sealed record TorchTensor(TorchStorage Storage, long Offset, long[] Shape, long[] Strides)
{
    /// <summary>Whether the elements stand one behind the other, row-major.</summary>
    public bool IsContiguous
    {
        get
        {
            Int128 expected = 1;
            for (int d = Shape.Length - 1; d >= 0; d--)
            {
                if (Shape[d] != 1 && Strides[d] != expected) return false;
                expected *= Shape[d];
            }

            return true;
        }
    }

    /// <summary>The number of the first element from the beginning of what stands in the file.</summary>
    public Int128 Begin => (Int128)Storage.First + Offset;

    /// <summary>The number behind that of the last element; of a tensor that has elements.</summary>
    public Int128 End
    {
        get
        {
            Int128 last = Begin;
            for (int d = 0; d < Shape.Length; d++) last += (Int128)(Shape[d] - 1) * Strides[d];
            return last + 1;
        }
    }
}

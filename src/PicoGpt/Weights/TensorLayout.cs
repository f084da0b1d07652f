using PicoGpt.Checkpoints;

namespace PicoGpt.Weights;

/// <summary>Where in memory the elements of a tensor are: where the first is, and how far apart the next of each dimension.</summary>
internal sealed class TensorLayout
{
    private TensorLayout(int offset, int[] shape, int[] strides)
    {
        (Offset, Shape, Strides) = (offset, shape, strides);
        Count = shape.Aggregate(1, (product, length) => product * length);
    }

    /// <summary>The place of the first element.</summary>
    public int Offset { get; }

    /// <summary>The dimensions, outermost first; a scalar has none.</summary>
    public IReadOnlyList<int> Shape { get; }

    /// <summary>The distance between neighbours of each dimension; negative where they are taken backwards.</summary>
    public IReadOnlyList<int> Strides { get; }

    /// <summary>The number of elements.</summary>
    public int Count { get; }

    /// <summary>Whether the elements stand one behind the other in their order.</summary>
    public bool IsContiguous
    {
        get
        {
            int expected = 1;
            for (int d = Shape.Count - 1; d >= 0; d--)
            {
                if (Shape[d] != 1 && Strides[d] != expected) return false;
                expected *= Shape[d];
            }

            return true;
        }
    }

    /// <summary>The layout of a tensor that has the memory to itself, row-major.</summary>
    /// <exception cref="Gpt2Exception">It has more elements than one piece of memory can have.</exception>
    public static TensorLayout RowMajor(string name, IReadOnlyList<long> shape)
    {
        if (!TensorShape.TryCountElements([.. shape.Select(length => Math.Max(length, 1))], out long count) || count > Array.MaxLength)
        {
            throw new Gpt2Exception(
                Gpt2Error.Unsupported,
                $"Tensor '{name}' [{string.Join(", ", shape)}] has more values than can be read as one piece ({Array.MaxLength}).");
        }

        int[] strides = new int[shape.Count];
        int stride = 1;
        for (int d = strides.Length - 1; d >= 0; d--)
        {
            strides[d] = stride;
            stride *= (int)Math.Max(shape[d], 1);
        }

        return new TensorLayout(0, [.. shape.Select(length => (int)length)], strides);
    }

    /// <summary>The part of a tensor that picks choose, one for each of the first dimensions; the others stay whole.</summary>
    public TensorLayout Slice(IReadOnlyList<TensorPick> picks)
    {
        int offset = Offset;
        List<int> shape = [], strides = [];
        for (int d = 0; d < Shape.Count; d++)
        {
            TensorPick pick = d < picks.Count ? picks[d] : TensorPick.All(Shape[d]);
            if (pick.Length != 0) offset += pick.Start * Strides[d];
            if (pick.DropsDimension) continue;
            shape.Add(pick.Length);
            strides.Add(pick.Step * Strides[d]);
        }

        return new TensorLayout(offset, [.. shape], [.. strides]);
    }

    /// <summary>The elements from a number on, in row-major order: in place where they stand one behind the other, else copied.</summary>
    /// <param name="memory">The memory.</param>
    /// <param name="start">The number of the first.</param>
    /// <param name="buffer">Where they are copied to; its length is how many are wanted.</param>
    /// <returns>As many as are wanted, or as there are.</returns>
    public ReadOnlySpan<float> Read(ReadOnlySpan<float> memory, int start, Span<float> buffer)
    {
        int count = Math.Min(buffer.Length, Count - start);
        if (IsContiguous) return memory.Slice(Offset + start, count);
        int inner = Shape[^1], stride = Strides[^1];
        for (int done = 0; done < count;)
        {
            int run = Math.Min(inner - ((start + done) % inner), count - done);
            int at = PlaceOf(start + done);
            for (int i = 0; i < run; i++) buffer[done + i] = memory[at + (i * stride)];
            done += run;
        }

        return buffer[..count];
    }

    /// <summary>Where the element of that number in row-major order stands.</summary>
    public int PlaceOf(int number)
    {
        int place = Offset;
        for (int d = Shape.Count - 1; d >= 0; d--)
        {
            (number, int index) = Math.DivRem(number, Shape[d]);
            place += index * Strides[d];
        }

        return place;
    }

    /// <summary>Where the element with those indexes stands; a negative index counts from the end.</summary>
    /// <exception cref="ArgumentException">There are not as many indexes as dimensions.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An index is outside its dimension.</exception>
    public int PlaceOf(ReadOnlySpan<int> indexes)
    {
        if (indexes.Length != Shape.Count)
            throw new ArgumentException(
                $"The tensor has {Shape.Count} dimensions, [{string.Join(", ", Shape)}], but {indexes.Length} indexes were given.");
        int place = Offset;
        for (int d = 0; d < indexes.Length; d++) place += TensorPick.Only(indexes[d], Shape[d]).Start * Strides[d];
        return place;
    }
}

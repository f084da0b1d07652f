using PicoGpt.Files;

namespace PicoGpt.Checkpoints.PyTorch;

/// <summary>
/// A view whose elements do not stand one behind the other: a transposed matrix, a column, a number that is repeated. They are gathered each time
/// they are read.
/// </summary>
/// <param name="elements">All elements that the view reaches, from its first to its last, as a tensor of one dimension.</param>
/// <param name="shape">The dimensions of the view.</param>
/// <param name="strides">The elements from one index to the next, of each dimension; none leads beyond the last.</param>
internal sealed class StridedTensor(StoredTensor elements, TensorShape shape, long[] strides) : StoredTensor(elements.Name, elements.DType, shape)
{
    public override long Size => checked(Shape.ElementCount * DType.ElementSize()!.Value);

    public override string? File => elements.File;

    public override int? Shard => elements.Shard;

    public override bool HasChecksum => elements.HasChecksum;

    public override string GetFingerprint(CancellationToken cancellationToken) => $"{elements.GetFingerprint(cancellationToken)} {string.Join(',', strides)}";

    public override void Verify(CancellationToken cancellationToken = default) => elements.Verify(cancellationToken);

    public override ReadOnlyMemory<byte> GetBytes()
    {
        using var source = new HeldMemory<byte>(elements.GetBytes());
        int size = DType.ElementSize()!.Value;
        byte[] gathered = new byte[Counted(Size)];
        ReadOnlySpan<byte> from = source.Span;
        int done = 0;
        foreach (long place in Places())
        {
            from.Slice((int)place * size, size).CopyTo(gathered.AsSpan(done));
            done += size;
        }

        return source.IfUnchanged(gathered);
    }

    public override ReadOnlyMemory<float> GetFloats()
    {
        using var source = new HeldMemory<float>(elements.GetFloats());
        float[] gathered = new float[Counted(Shape.ElementCount)];
        ReadOnlySpan<float> from = source.Span;
        int done = 0;
        foreach (long place in Places()) gathered[done++] = from[(int)place];
        return source.IfUnchanged(gathered);
    }

    private int Counted(long count) => count <= Array.MaxLength ? (int)count : throw new Gpt2Exception(
        Gpt2Error.Unsupported, $"Tensor '{Name}' {Shape} has more elements than can be read as one piece ({Array.MaxLength} bytes).");

    // where the elements stand, in row-major order
    private IEnumerable<long> Places()
    {
        if (Shape.ElementCount == 0) yield break;
        long[] index = new long[Shape.Rank];
        long place = 0;
        while (true)
        {
            yield return place;
            int d = Shape.Rank - 1;
            for (; d >= 0 && ++index[d] == Shape[d]; d--)
            {
                place -= (Shape[d] - 1) * strides[d];
                index[d] = 0;
            }

            if (d < 0) yield break;
            place += strides[d];
        }
    }
}

using System.Runtime.InteropServices;
using PicoGpt.Checkpoints;
using PicoGpt.Files;

namespace PicoGpt.Weights;

/// <summary>A matrix the other way round: that of a linear layer as <c>[in, out]</c>, where a checkpoint has <c>[out, in]</c>, or back.</summary>
/// <param name="tensor">The matrix: of two dimensions, or more of which the last two alone are longer than 1.</param>
internal sealed class TransposedTensor(StoredTensor tensor)
    : StoredTensor(tensor.Name, tensor.DType, new TensorShape(tensor.Shape[tensor.Shape.Rank - 1], tensor.Shape[tensor.Shape.Rank - 2]))
{
    // A tile of both matrices fits into the processor's nearest cache.
    private const int Tile = 32;

    /// <summary>A matrix the other way round; what is turned back is the matrix itself.</summary>
    public static StoredTensor Of(StoredTensor tensor) => tensor is TransposedTensor turned ? turned.Original : new TransposedTensor(tensor);

    private StoredTensor Original => tensor;

    public override long Size => tensor.Size;

    public override string? Quantization => tensor.Quantization;

    public override string GetFingerprint(CancellationToken cancellationToken) => $"transposed {tensor.GetFingerprint(cancellationToken)}";

    public override void Verify(CancellationToken cancellationToken = default) => tensor.Verify(cancellationToken);

    public override FileHole? FindHole() => tensor.FindHole();

    public override ReadOnlyMemory<byte> GetBytes()
    {
        using var bytes = new HeldMemory<byte>(tensor.GetBytes());
        byte[] transposed = new byte[bytes.Length];
        switch (DType.ElementSize())
        {
            case 1: Transpose(bytes.Span, transposed.AsSpan()); break;
            case 2: Transpose<ushort>(bytes.Span, transposed); break;
            case 4: Transpose<uint>(bytes.Span, transposed); break;
            default: Transpose<ulong>(bytes.Span, transposed); break;
        }

        return bytes.IfUnchanged(transposed);
    }

    public override ReadOnlyMemory<float> GetFloats()
    {
        using var values = new HeldMemory<float>(tensor.GetFloats());
        float[] transposed = new float[values.Length];
        Transpose(values.Span, transposed.AsSpan());
        return values.IfUnchanged(transposed);
    }

    private void Transpose<T>(ReadOnlySpan<byte> from, Span<byte> to)
        where T : unmanaged => Transpose(MemoryMarshal.Cast<byte, T>(from), MemoryMarshal.Cast<byte, T>(to));

    // [rows, columns] -> [columns, rows]
    private void Transpose<T>(ReadOnlySpan<T> from, Span<T> to)
    {
        int rows = (int)Shape[1], columns = (int)Shape[0];
        for (int top = 0; top < rows; top += Tile)
        {
            for (int left = 0; left < columns; left += Tile)
            {
                int bottom = Math.Min(top + Tile, rows), right = Math.Min(left + Tile, columns);
                for (int column = left; column < right; column++)
                {
                    for (int row = top; row < bottom; row++) to[(column * rows) + row] = from[(row * columns) + column];
                }
            }
        }
    }
}

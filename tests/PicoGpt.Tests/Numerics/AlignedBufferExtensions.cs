using PicoGpt.Numerics;

namespace PicoGpt.Tests.Numerics;

internal static unsafe class AlignedBufferExtensions
{
    /// <summary>A matrix of a buffer's first elements.</summary>
    public static Matrix AsMatrix(this AlignedBuffer buffer, int rows, int columns)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)rows * columns, buffer.Length);
        return new Matrix(buffer.Data, rows, columns);
    }
}

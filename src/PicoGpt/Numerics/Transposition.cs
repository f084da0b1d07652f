using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace PicoGpt.Numerics;

/// <summary>Copies of matrices whose columns become rows, by squares of four.</summary>
internal static unsafe class Transposition
{
    private const int Side = 4;

    /// <summary><c>y[j, i] = x[i, j]</c>: [rows, columns] -> [columns, rows].</summary>
    /// <param name="x">The first value to copy.</param>
    /// <param name="xStride">The distance between two rows of x.</param>
    /// <param name="rows">Rows of x.</param>
    /// <param name="columns">Columns of x.</param>
    /// <param name="y">Where it goes.</param>
    /// <param name="yStride">The distance between two rows of y.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Copy(float* x, nint xStride, int rows, int columns, float* y, nint yStride)
    {
        int wholeRows = rows / Side * Side, wholeColumns = columns / Side * Side;
        for (int i = 0; i < wholeRows; i += Side)
        {
            for (int j = 0; j < wholeColumns; j += Side) CopySquare(x + (i * xStride) + j, xStride, y + (j * yStride) + i, yStride);
        }

        CopyPlain(x + wholeColumns, xStride, wholeRows, columns - wholeColumns, y + (wholeColumns * yStride), yStride);
        CopyPlain(x + (wholeRows * xStride), xStride, rows - wholeRows, columns, y + wholeRows, yStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CopyPlain(float* x, nint xStride, int rows, int columns, float* y, nint yStride)
    {
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < columns; j++) y[(j * yStride) + i] = x[(i * xStride) + j];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopySquare(float* x, nint xStride, float* y, nint yStride)
    {
        Vector128<float> a = Vector128.Load(x), b = Vector128.Load(x + xStride);
        Vector128<float> c = Vector128.Load(x + (2 * xStride)), d = Vector128.Load(x + (3 * xStride));
        Vector128<float> acLow = VectorZip.Low(a, c), acHigh = VectorZip.High(a, c); // a₀ c₀ a₁ c₁ and a₂ c₂ a₃ c₃
        Vector128<float> bdLow = VectorZip.Low(b, d), bdHigh = VectorZip.High(b, d);
        VectorZip.Low(acLow, bdLow).Store(y); // a₀ b₀ c₀ d₀
        VectorZip.High(acLow, bdLow).Store(y + yStride);
        VectorZip.Low(acHigh, bdHigh).Store(y + (2 * yStride));
        VectorZip.High(acHigh, bdHigh).Store(y + (3 * yStride));
    }
}

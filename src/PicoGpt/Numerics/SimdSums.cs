using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace PicoGpt.Numerics;

/// <summary>Sums and dot products at one vector width, by sixteen partial sums.</summary>
internal static unsafe class SimdSums<TWidth, TVector>
    where TWidth : struct, IWidth<TVector>
    where TVector : struct
{
    // Dot products that are computed together: of four rows of x with two of w, or with four, where there are registers for them and
    // enough rows of x that the arithmetic is what takes the time (measured: 1.2 times as fast for 16 and 32 rows, slower for 4 and 8).
    private const int DotRows = 4;
    private const int DotColumns = 2;
    private const int WideColumns = 4;
    private const int RowsOfWide = 12;

    // Rows of w that stay in the caches for all rows of x.
    private const int CachedColumns = 6;
    private const int CachedWideColumns = 16;

    /// <inheritdoc cref="Kernels.MatMulTransposed"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MatMulTransposed(Matrix x, Matrix w, Matrix y, int from, int to)
    {
        bool isWide = TWidth.Count == Kernels.Lanes && x.Rows >= RowsOfWide;
        int columns = isWide ? WideColumns : DotColumns, cached = isWide ? CachedWideColumns : CachedColumns;
        int tiled = x.Rows < DotRows ? from : from + ((to - from) / columns * columns);
        for (int first = from; first < tiled; first += cached) DotsOfRows(x, w, y, first, Math.Min(first + cached, tiled), columns);
        for (int o = tiled; o < to; o++)
        {
            for (int t = 0; t < x.Rows; t++) y.RowPointer(t)[o] = Dot(x.RowPointer(t), w.RowPointer(o), x.Columns);
        }
    }

    // Rows of w from first to end stay in the caches for all rows of x, while each tile asks for its share of as many further
    // ones (measured: 1.5 to 1.8 times as fast as asking for them at the beginning, for 4 and 8 rows of x).
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void DotsOfRows(Matrix x, Matrix w, Matrix y, int first, int end, int columns)
    {
        float* lanes = stackalloc float[DotRows * WideColumns * Kernels.Lanes];
        float* next = w.RowPointer(end);
        int groups = (x.Rows + DotRows - 1) / DotRows, share = WholeLines(columns * w.Stride / groups), step = WholeLines(columns * TWidth.Count / groups);
        for (int group = 0; group < groups; group++)
        {
            int t = Math.Min(group * DotRows, x.Rows - DotRows); // the last tile may compute some rows once more
            for (int column = first; column < end; column += columns, next += share)
            {
                float* y0 = y.RowPointer(t) + column;
                if (columns == WideColumns)
                {
                    WideDots(x.RowPointer(t), x.Stride, w.RowPointer(column), w.Stride, x.Columns, lanes, next, step);
                    for (int r = 0; r < DotRows; r++) Kernels.Fold4(lanes + (r * WideColumns * Kernels.Lanes)).Store(y0 + (r * y.Stride));
                }
                else
                {
                    Dots(x.RowPointer(t), x.Stride, w.RowPointer(column), w.Stride, x.Columns, lanes, next, step);
                    StoreFolded(lanes, y0, y.Stride);
                }
            }
        }
    }

    // What is asked for begins where a cache line does: steps of parts of lines take a third longer (measured for 10 and 12 rows of x).
    private static int WholeLines(int elements) => (int)Kernels.Padded(elements);

    // [4, 2, 16] -> [4, 2], each sum folded as Kernels.Fold does
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void StoreFolded(float* lanes, float* y, nint yStride)
    {
        for (int t = 0; t < DotRows; t += 2, lanes += 4 * Kernels.Lanes, y += 2 * yStride)
        {
            Vector128<double> sums = Kernels.Fold4(lanes).AsDouble(); // [2, 2]
            *(double*)y = sums[0];
            *(double*)(y + yStride) = sums[1];
        }
    }

    /// <summary>The sum of the elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Sum(float* x, int count)
    {
        float* lanes = stackalloc float[Kernels.Lanes];
        int whole = count / Kernels.Lanes * Kernels.Lanes;
        for (int lane = 0; lane < Kernels.Lanes; lane += TWidth.Count)
        {
            TVector sum = TWidth.Broadcast(0f);
            for (int i = lane; i < whole; i += Kernels.Lanes) sum = TWidth.Add(sum, TWidth.Load(x + i));
            TWidth.Store(sum, lanes + lane);
        }

        for (int i = whole; i < count; i++) lanes[i % Kernels.Lanes] += x[i];
        return Kernels.Fold(lanes);
    }

    /// <summary>The dot product.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Dot(float* x, float* y, int count)
    {
        float* lanes = stackalloc float[Kernels.Lanes];
        int whole = count / Kernels.Lanes * Kernels.Lanes;
        for (int lane = 0; lane < Kernels.Lanes; lane += TWidth.Count)
        {
            TVector sum = TWidth.Broadcast(0f);
            for (int i = lane; i < whole; i += Kernels.Lanes) sum = TWidth.FusedMultiplyAdd(TWidth.Load(x + i), TWidth.Load(y + i), sum);
            TWidth.Store(sum, lanes + lane);
        }

        for (int i = whole; i < count; i++) lanes[i % Kernels.Lanes] = MathF.FusedMultiplyAdd(x[i], y[i], lanes[i % Kernels.Lanes]);
        return Kernels.Fold(lanes);
    }

    // the partial sums of four rows of x with two rows of w: [4, 2, 16]; meanwhile it asks for what is needed next, so far at every step
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Dots(float* x, nint xStride, float* w, nint wStride, int count, float* lanes, float* next, int step)
    {
        int whole = count / Kernels.Lanes * Kernels.Lanes;
        float* x1 = x + xStride, x2 = x1 + xStride, x3 = x2 + xStride, w1 = w + wStride;
        for (int lane = 0; lane < Kernels.Lanes; lane += TWidth.Count)
        {
            TVector s00 = TWidth.Broadcast(0f), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
            for (int i = lane; i < whole; i += Kernels.Lanes, next += step)
            {
                BlockProducts<TWidth, TVector>.Prefetch(next);
                TVector a = TWidth.Load(w + i), b = TWidth.Load(w1 + i);
                TVector v = TWidth.Load(x + i);
                s00 = TWidth.FusedMultiplyAdd(v, a, s00);
                s01 = TWidth.FusedMultiplyAdd(v, b, s01);
                v = TWidth.Load(x1 + i);
                s10 = TWidth.FusedMultiplyAdd(v, a, s10);
                s11 = TWidth.FusedMultiplyAdd(v, b, s11);
                v = TWidth.Load(x2 + i);
                s20 = TWidth.FusedMultiplyAdd(v, a, s20);
                s21 = TWidth.FusedMultiplyAdd(v, b, s21);
                v = TWidth.Load(x3 + i);
                s30 = TWidth.FusedMultiplyAdd(v, a, s30);
                s31 = TWidth.FusedMultiplyAdd(v, b, s31);
            }

            TWidth.Store(s00, lanes + lane);
            TWidth.Store(s01, lanes + Kernels.Lanes + lane);
            TWidth.Store(s10, lanes + (2 * Kernels.Lanes) + lane);
            TWidth.Store(s11, lanes + (3 * Kernels.Lanes) + lane);
            TWidth.Store(s20, lanes + (4 * Kernels.Lanes) + lane);
            TWidth.Store(s21, lanes + (5 * Kernels.Lanes) + lane);
            TWidth.Store(s30, lanes + (6 * Kernels.Lanes) + lane);
            TWidth.Store(s31, lanes + (7 * Kernels.Lanes) + lane);
        }

        AddRest(x, xStride, w, wStride, DotColumns, whole, count, lanes);
    }

    // the same with four rows of w, [4, 4, 16], where a vector is as wide as the partial sums
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WideDots(float* x, nint xStride, float* w, nint wStride, int count, float* lanes, float* next, int step)
    {
        int whole = count / Kernels.Lanes * Kernels.Lanes;
        float* x1 = x + xStride, x2 = x1 + xStride, x3 = x2 + xStride, w1 = w + wStride, w2 = w1 + wStride, w3 = w2 + wStride;
        TVector s00 = TWidth.Broadcast(0f), s01 = s00, s02 = s00, s03 = s00;
        TVector s10 = s00, s11 = s00, s12 = s00, s13 = s00;
        TVector s20 = s00, s21 = s00, s22 = s00, s23 = s00;
        TVector s30 = s00, s31 = s00, s32 = s00, s33 = s00;
        for (int i = 0; i < whole; i += Kernels.Lanes, next += step)
        {
            BlockProducts<TWidth, TVector>.Prefetch(next);
            TVector a = TWidth.Load(w + i), b = TWidth.Load(w1 + i), c = TWidth.Load(w2 + i), d = TWidth.Load(w3 + i);
            TVector v = TWidth.Load(x + i);
            s00 = TWidth.FusedMultiplyAdd(v, a, s00);
            s01 = TWidth.FusedMultiplyAdd(v, b, s01);
            s02 = TWidth.FusedMultiplyAdd(v, c, s02);
            s03 = TWidth.FusedMultiplyAdd(v, d, s03);
            v = TWidth.Load(x1 + i);
            s10 = TWidth.FusedMultiplyAdd(v, a, s10);
            s11 = TWidth.FusedMultiplyAdd(v, b, s11);
            s12 = TWidth.FusedMultiplyAdd(v, c, s12);
            s13 = TWidth.FusedMultiplyAdd(v, d, s13);
            v = TWidth.Load(x2 + i);
            s20 = TWidth.FusedMultiplyAdd(v, a, s20);
            s21 = TWidth.FusedMultiplyAdd(v, b, s21);
            s22 = TWidth.FusedMultiplyAdd(v, c, s22);
            s23 = TWidth.FusedMultiplyAdd(v, d, s23);
            v = TWidth.Load(x3 + i);
            s30 = TWidth.FusedMultiplyAdd(v, a, s30);
            s31 = TWidth.FusedMultiplyAdd(v, b, s31);
            s32 = TWidth.FusedMultiplyAdd(v, c, s32);
            s33 = TWidth.FusedMultiplyAdd(v, d, s33);
        }

        SimdKernels<TWidth, TVector>.Store4(s00, s01, s02, s03, lanes);
        SimdKernels<TWidth, TVector>.Store4(s10, s11, s12, s13, lanes + (4 * Kernels.Lanes));
        SimdKernels<TWidth, TVector>.Store4(s20, s21, s22, s23, lanes + (8 * Kernels.Lanes));
        SimdKernels<TWidth, TVector>.Store4(s30, s31, s32, s33, lanes + (12 * Kernels.Lanes));
        AddRest(x, xStride, w, wStride, WideColumns, whole, count, lanes);
    }

    // what is behind whole vectors
    private static void AddRest(float* x, nint xStride, float* w, nint wStride, int columns, int from, int count, float* lanes)
    {
        for (int i = from; i < count; i++)
        {
            for (int k = 0; k < DotRows * columns; k++)
            {
                float* sum = lanes + (k * Kernels.Lanes) + (i % Kernels.Lanes);
                *sum = MathF.FusedMultiplyAdd(x[(k / columns * xStride) + i], w[(k % columns * wStride) + i], *sum);
            }
        }
    }
}

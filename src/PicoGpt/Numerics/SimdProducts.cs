using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace PicoGpt.Numerics;

/// <summary>Matrix products at one vector width, each output element summed over the inner dimension from first to last.</summary>
/// <remarks>
/// Kernels are compiled with all optimizations at once: the first call of a process is a whole prompt, which code compiled
/// in a hurry would read four times as slowly (measured: 60 ms against 200 ms until the first token).
/// </remarks>
internal static unsafe class SimdProducts<TWidth, TVector>
    where TWidth : struct, IWidth<TVector>
    where TVector : struct
{
    // From so many rows of x on, packing the columns of w costs less than it gains (measured: between 150 and 190).
    private const int Many = 160;

    // How many rows of w are asked for in advance: the hardware's own prefetching does not follow columns.
    private const int RowsAhead = 8;

    // Half of the smallest first-level cache there is.
    private const int CachedElements = 4096;

    /// <summary>The columns of a tile: two vectors.</summary>
    public static int TileColumns => 2 * TWidth.Count;

    /// <inheritdoc cref="Kernels.MatMul"/>
    public static void MatMul(Matrix x, Matrix w, float* b, Matrix y, int from, int to, float* panel)
    {
        if (x.Rows == 1) MatMulOfOneRow(x.Data, w, b, y.Data, from, to);
        else if (x.Rows < Many) MatMulOfFewRows(x, w, b, y, from, to);
        else MatMulOfManyRows(x, w, b, y, from, to, panel);
    }

    /// <summary><c>y[t, :] = init[:] + Σ x[t, i] · w[i, :]</c>, i from 0 to n, for six rows t and two vectors of columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Tile(float* x, nint xStride, float* w, nint wStride, int n, float* init, float* y, nint yStride)
    {
        float* x0 = x, x1 = x0 + xStride, x2 = x1 + xStride, x3 = x2 + xStride, x4 = x3 + xStride, x5 = x4 + xStride;
        TVector a0 = TWidth.Load(init), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0;
        TVector b0 = TWidth.Load(init + TWidth.Count), b1 = b0, b2 = b0, b3 = b0, b4 = b0, b5 = b0;
        for (nint i = 0; i < n; i++, w += wStride)
        {
            TVector wa = TWidth.Load(w), wb = TWidth.Load(w + TWidth.Count);
            TVector factor = TWidth.Broadcast(x0[i]);
            a0 = TWidth.FusedMultiplyAdd(factor, wa, a0);
            b0 = TWidth.FusedMultiplyAdd(factor, wb, b0);
            factor = TWidth.Broadcast(x1[i]);
            a1 = TWidth.FusedMultiplyAdd(factor, wa, a1);
            b1 = TWidth.FusedMultiplyAdd(factor, wb, b1);
            factor = TWidth.Broadcast(x2[i]);
            a2 = TWidth.FusedMultiplyAdd(factor, wa, a2);
            b2 = TWidth.FusedMultiplyAdd(factor, wb, b2);
            factor = TWidth.Broadcast(x3[i]);
            a3 = TWidth.FusedMultiplyAdd(factor, wa, a3);
            b3 = TWidth.FusedMultiplyAdd(factor, wb, b3);
            factor = TWidth.Broadcast(x4[i]);
            a4 = TWidth.FusedMultiplyAdd(factor, wa, a4);
            b4 = TWidth.FusedMultiplyAdd(factor, wb, b4);
            factor = TWidth.Broadcast(x5[i]);
            a5 = TWidth.FusedMultiplyAdd(factor, wa, a5);
            b5 = TWidth.FusedMultiplyAdd(factor, wb, b5);
        }

        Store2(a0, b0, y);
        Store2(a1, b1, y += yStride);
        Store2(a2, b2, y += yStride);
        Store2(a3, b3, y += yStride);
        Store2(a4, b4, y += yStride);
        Store2(a5, b5, y += yStride);
    }

    /// <summary><c>y[:] += factor · w[:]</c>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MultiplyAdd(float factor, float* w, float* y, int count)
    {
        TVector x = TWidth.Broadcast(factor);
        int i = 0;
        for (; i + TWidth.Count <= count; i += TWidth.Count)
            TWidth.Store(TWidth.FusedMultiplyAdd(x, TWidth.Load(w + i), TWidth.Load(y + i)), y + i);
        for (; i < count; i++) y[i] = MathF.FusedMultiplyAdd(factor, w[i], y[i]);
    }

    // Weights stream by, eight rows at a time; y stays in the first-level cache meanwhile.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MatMulOfOneRow(float* x, Matrix w, float* b, float* y, int from, int to)
    {
        new ReadOnlySpan<float>(b + from, to - from).CopyTo(new Span<float>(y + from, to - from));
        int i = 0;
        for (; i + 8 <= w.Rows; i += 8) MultiplyAdd8(x + i, w.RowPointer(i) + from, w.Stride, y + from, to - from);
        for (; i < w.Rows; i++) MultiplyAdd(x[i], w.RowPointer(i) + from, y + from, to - from);
    }

    // Weights stream by once, four rows and two vectors at a time, and are used for all rows of x while in registers. So
    // many columns are taken together as let y stay in the first-level cache.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MatMulOfFewRows(Matrix x, Matrix w, float* b, Matrix y, int from, int to)
    {
        int together = Math.Max(CachedElements / x.Rows / TileColumns, 1) * TileColumns;
        for (int first = from; first < to; first += together)
        {
            int columns = Math.Min(together, to - first);
            for (int t = 0; t < x.Rows; t++)
                new ReadOnlySpan<float>(b + first, columns).CopyTo(new Span<float>(y.RowPointer(t) + first, columns));

            int i = 0;
            for (; i + 4 <= w.Rows; i += 4) MultiplyAdd4(x, i, w.RowPointer(i) + first, w.Stride, y.Data + first, y.Stride, columns);
            for (; i < w.Rows; i++)
            {
                for (int t = 0; t < x.Rows; t++) MultiplyAdd(x.RowPointer(t)[i], w.RowPointer(i) + first, y.RowPointer(t) + first, columns);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyAdd4(Matrix x, int i, float* w, nint wStride, float* y, nint yStride, int columns)
    {
        int column = 0;
        for (; column + TileColumns <= columns; column += TileColumns)
            MultiplyAdd4(x.Data + i, x.Stride, x.Rows, w + column, wStride, y + column, yStride);
        for (int k = 0; column < columns && k < 4; k++)
        {
            for (int t = 0; t < x.Rows; t++)
                MultiplyAdd(x.RowPointer(t)[i + k], w + (k * wStride) + column, y + (t * yStride) + column, columns - column);
        }
    }

    // y[t, :] += x[t, 0]·w[0, :] + … + x[t, 3]·w[3, :] for two vectors of columns, each product fused to the sum before it
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyAdd4(float* x, nint xStride, int rows, float* w, nint wStride, float* y, nint yStride)
    {
        TVector a0 = TWidth.Load(w), b0 = TWidth.Load(w + TWidth.Count);
        TVector a1 = TWidth.Load(w += wStride), b1 = TWidth.Load(w + TWidth.Count);
        TVector a2 = TWidth.Load(w += wStride), b2 = TWidth.Load(w + TWidth.Count);
        TVector a3 = TWidth.Load(w += wStride), b3 = TWidth.Load(w + TWidth.Count);
        for (int k = RowsAhead - 3; k <= RowsAhead; k++) Prefetch(w + (k * wStride));
        for (int t = 0; t < rows; t++, x += xStride, y += yStride)
        {
            TVector a = TWidth.Load(y), b = TWidth.Load(y + TWidth.Count);
            TVector factor = TWidth.Broadcast(x[0]);
            a = TWidth.FusedMultiplyAdd(factor, a0, a);
            b = TWidth.FusedMultiplyAdd(factor, b0, b);
            factor = TWidth.Broadcast(x[1]);
            a = TWidth.FusedMultiplyAdd(factor, a1, a);
            b = TWidth.FusedMultiplyAdd(factor, b1, b);
            factor = TWidth.Broadcast(x[2]);
            a = TWidth.FusedMultiplyAdd(factor, a2, a);
            b = TWidth.FusedMultiplyAdd(factor, b2, b);
            factor = TWidth.Broadcast(x[3]);
            a = TWidth.FusedMultiplyAdd(factor, a3, a);
            b = TWidth.FusedMultiplyAdd(factor, b3, b);
            Store2(a, b, y);
        }
    }

    // Some columns of w are packed together, so that they come from the second-level cache line after line for all rows of x.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MatMulOfManyRows(Matrix x, Matrix w, float* b, Matrix y, int from, int to, float* panel)
    {
        float* bias = panel + ((nint)w.Rows * TileColumns);
        float* tile = bias + TileColumns;
        for (int column = from; column < to; column += TileColumns)
        {
            int columns = Math.Min(TileColumns, to - column);
            Pack(w, column, columns, panel);
            Pack(new Matrix(b, 1, w.Columns), column, columns, bias);
            for (int row = 0; row < x.Rows; row += Kernels.TileRows)
            {
                int t = Math.Min(row, x.Rows - Kernels.TileRows); // the last tile may compute some rows once more
                if (columns == TileColumns)
                {
                    Tile(x.RowPointer(t), x.Stride, panel, TileColumns, w.Rows, bias, y.RowPointer(t) + column, y.Stride);
                    continue;
                }

                Tile(x.RowPointer(t), x.Stride, panel, TileColumns, w.Rows, bias, tile, TileColumns);
                for (int r = 0; r < Kernels.TileRows; r++)
                    new Span<float>(tile + (r * TileColumns), columns).CopyTo(new Span<float>(y.RowPointer(t + r) + column, columns));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Pack(Matrix w, int column, int columns, float* panel)
    {
        for (int i = 0; i < w.Rows; i++, panel += TileColumns)
        {
            float* row = w.RowPointer(i) + column;
            if (columns == TileColumns)
            {
                Prefetch(row + (RowsAhead * (nint)w.Stride));
                Store2(TWidth.Load(row), TWidth.Load(row + TWidth.Count), panel);
                continue;
            }

            new ReadOnlySpan<float>(row, columns).CopyTo(new Span<float>(panel, columns));
            new Span<float>(panel + columns, TileColumns - columns).Clear();
        }
    }

    // two vectors of columns; beyond the end of w it asks for nothing that matters
    private static void Prefetch(float* columns)
    {
        if (!Sse.IsSupported) return;
        Sse.Prefetch0(columns);
        Sse.Prefetch0(columns + TWidth.Count);
    }

    private static void Store2(TVector a, TVector b, float* y)
    {
        TWidth.Store(a, y);
        TWidth.Store(b, y + TWidth.Count);
    }

    // y += x[0]·w[0] + … + x[7]·w[7], each product fused to the sum before it
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyAdd8(float* x, float* w, nint stride, float* y, int count)
    {
        TVector x0 = TWidth.Broadcast(x[0]), x1 = TWidth.Broadcast(x[1]), x2 = TWidth.Broadcast(x[2]), x3 = TWidth.Broadcast(x[3]);
        TVector x4 = TWidth.Broadcast(x[4]), x5 = TWidth.Broadcast(x[5]), x6 = TWidth.Broadcast(x[6]), x7 = TWidth.Broadcast(x[7]);
        float* w4 = w + (4 * stride);
        int i = 0;
        for (; i + TWidth.Count <= count; i += TWidth.Count)
        {
            TVector sum = TWidth.Load(y + i);
            sum = TWidth.FusedMultiplyAdd(x0, TWidth.Load(w + i), sum);
            sum = TWidth.FusedMultiplyAdd(x1, TWidth.Load(w + stride + i), sum);
            sum = TWidth.FusedMultiplyAdd(x2, TWidth.Load(w + (2 * stride) + i), sum);
            sum = TWidth.FusedMultiplyAdd(x3, TWidth.Load(w + (3 * stride) + i), sum);
            sum = TWidth.FusedMultiplyAdd(x4, TWidth.Load(w4 + i), sum);
            sum = TWidth.FusedMultiplyAdd(x5, TWidth.Load(w4 + stride + i), sum);
            sum = TWidth.FusedMultiplyAdd(x6, TWidth.Load(w4 + (2 * stride) + i), sum);
            sum = TWidth.FusedMultiplyAdd(x7, TWidth.Load(w4 + (3 * stride) + i), sum);
            TWidth.Store(sum, y + i);
        }

        for (; i < count; i++)
        {
            for (int k = 0; k < 8; k++) y[i] = MathF.FusedMultiplyAdd(x[k], w[(k * stride) + i], y[i]);
        }
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace PicoGpt.Numerics;

/// <summary>
/// Products of some rows of x with a block of w, some rows by two vectors of columns, that lies packed in the first-level cache.
/// Blocks of the same columns are added in the order of their rows, so that every sum runs over the inner dimension from first to last.
/// </summary>
internal static unsafe class BlockProducts<TWidth, TVector>
    where TWidth : struct, IWidth<TVector>
    where TVector : struct
{
    /// <summary>The most rows of a block, which then takes half of the smallest first-level cache there is.</summary>
    public const int MaxRows = 128;

    private const int TileRows = Kernels.TileRows;

    /// <summary>The columns of a tile: two vectors.</summary>
    public static int TileColumns => 2 * TWidth.Count;

    /// <summary>
    /// The rows of a block, and the tiles side by side that are walked down together. Few rows of x wait for memory, which gives more where
    /// longer pieces of rows are read, and sooner with small blocks (measured: a fifth for ten rows). Of many rows, what a block is
    /// multiplied by stays in the second-level cache for all tiles.
    /// </summary>
    public static (int Rows, int Tiles) BlockOf(Matrix x) => x.Rows < 16 ? (MaxRows / 2, 2) : (MaxRows, 4);

    /// <summary><c>y[t, :] += Σ x[t, i] · w[i, :]</c> for all rows t.</summary>
    /// <param name="x">[rows, n].</param>
    /// <param name="w">[n, <see cref="TileColumns"/>], what is behind the columns included.</param>
    /// <param name="wStride">The distance between two rows of w.</param>
    /// <param name="y">[rows, columns].</param>
    /// <param name="yStride">The distance between two rows of y.</param>
    /// <param name="columns">Columns of y, at most <see cref="TileColumns"/>.</param>
    /// <param name="next">n rows of memory that will be needed soon and are asked for meanwhile, or null.</param>
    /// <param name="nextStride">The distance between two of those rows.</param>
    /// <param name="ahead">What is asked for piece by piece meanwhile, or null.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(
        Matrix x, float* w, nint wStride, float* y, nint yStride, int columns, float* next = null, nint nextStride = 0, LookAhead* ahead = null)
    {
        for (int t = 0; t < x.Rows; t += TileRows, y += TileRows * yStride, next = null)
        {
            if (next is null)
            {
                next = w; // asks for what is there
                nextStride = 0;
            }

            if (ahead is not null) ahead->Ask8(TWidth.Count);
            for (int later = TileRows; later < 2 * TileRows && t + later < x.Rows; later++) Prefetch(y + (later * yStride)); // the sums of the next tile
            int rows = Math.Min(TileRows, x.Rows - t);
            if (columns < TileColumns) AddNarrow(x.RowPointer(t), x.Stride, rows, w, wStride, x.Columns, y, yStride, columns);
            else AddTile(x.RowPointer(t), x.Stride, rows, w, wStride, x.Columns, y, yStride, next, nextStride);
        }
    }

    /// <summary><c>y[t, :] = init[t, :] + Σ x[t, i] · w[i, :]</c>, i from 0 to n, for six rows t and two vectors of columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Tile(
        float* x,
        nint xStride,
        float* w,
        nint wStride,
        int n,
        float* init,
        nint initStride,
        float* y,
        nint yStride,
        float* next,
        nint nextStride)
    {
        float* x0 = x, x1 = x0 + xStride, x2 = x1 + xStride, x3 = x2 + xStride, x4 = x3 + xStride, x5 = x4 + xStride;
        TVector a0 = TWidth.Load(init), b0 = TWidth.Load(init + TWidth.Count);
        TVector a1 = TWidth.Load(init += initStride), b1 = TWidth.Load(init + TWidth.Count);
        TVector a2 = TWidth.Load(init += initStride), b2 = TWidth.Load(init + TWidth.Count);
        TVector a3 = TWidth.Load(init += initStride), b3 = TWidth.Load(init + TWidth.Count);
        TVector a4 = TWidth.Load(init += initStride), b4 = TWidth.Load(init + TWidth.Count);
        TVector a5 = TWidth.Load(init += initStride), b5 = TWidth.Load(init + TWidth.Count);
        for (nint i = 0; i < n; i++, w += wStride, next += nextStride)
        {
            TVector wa = TWidth.Load(w), wb = TWidth.Load(w + TWidth.Count);
            Prefetch(next);
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

    /// <summary>Asks for two vectors of columns; beyond the end of a matrix it asks for nothing that matters.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch(float* columns)
    {
        if (!Sse.IsSupported) return;
        Sse.Prefetch1(columns);
        Sse.Prefetch1(columns + TWidth.Count);
    }

    // Six rows, or fewer in pairs, of which the last may be one row twice.
    private static void AddTile(
        float* x, nint xStride, int rows, float* w, nint wStride, int n, float* y, nint yStride, float* next, nint nextStride)
    {
        if (rows == TileRows)
        {
            Tile(x, xStride, w, wStride, n, y, yStride, y, yStride, next, nextStride);
            return;
        }

        for (int t = 0; t < rows; t += 2, x += 2 * xStride, y += 2 * yStride)
        {
            bool isPair = t + 1 < rows;
            AddPair(x, isPair ? xStride : 0, w, wStride, n, y, isPair ? yStride : 0, next, nextStride);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddPair(float* x, nint xStride, float* w, nint wStride, int n, float* y, nint yStride, float* next, nint nextStride)
    {
        float* x1 = x + xStride, y1 = y + yStride;
        TVector a0 = TWidth.Load(y), b0 = TWidth.Load(y + TWidth.Count), a1 = TWidth.Load(y1), b1 = TWidth.Load(y1 + TWidth.Count);
        for (nint i = 0; i < n; i++, w += wStride, next += nextStride)
        {
            TVector wa = TWidth.Load(w), wb = TWidth.Load(w + TWidth.Count);
            Prefetch(next);
            TVector factor = TWidth.Broadcast(x[i]);
            a0 = TWidth.FusedMultiplyAdd(factor, wa, a0);
            b0 = TWidth.FusedMultiplyAdd(factor, wb, b0);
            factor = TWidth.Broadcast(x1[i]);
            a1 = TWidth.FusedMultiplyAdd(factor, wa, a1);
            b1 = TWidth.FusedMultiplyAdd(factor, wb, b1);
        }

        Store2(a0, b0, y);
        Store2(a1, b1, y1);
    }

    // What stands to the right of the columns belongs to others.
    private static void AddNarrow(float* x, nint xStride, int rows, float* w, nint wStride, int n, float* y, nint yStride, int columns)
    {
        float* wide = stackalloc float[TileRows * TileColumns];
        for (int t = 0; t < rows; t++) Copy(y + (t * yStride), wide + (t * TileColumns), columns);
        AddTile(x, xStride, rows, w, wStride, n, wide, TileColumns, w, 0);
        for (int t = 0; t < rows; t++) Copy(wide + (t * TileColumns), y + (t * yStride), columns);
    }

    private static void Copy(float* source, float* target, int count) =>
        new ReadOnlySpan<float>(source, count).CopyTo(new Span<float>(target, count));

    private static void Store2(TVector a, TVector b, float* y)
    {
        TWidth.Store(a, y);
        TWidth.Store(b, y + TWidth.Count);
    }
}

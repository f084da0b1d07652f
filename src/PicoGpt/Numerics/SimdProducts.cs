using System.Runtime.CompilerServices;

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
    // Rows that are asked for before they are walked, by one row of x: eight are walked at once.
    private const int RowsAhead = 16;

    // Rows of x whose part of a block's inner dimension stays in the second-level cache with their sums, of the smallest there is.
    private const int GroupRows = 192;

    private static int TileColumns => BlockProducts<TWidth, TVector>.TileColumns;

    /// <inheritdoc cref="Kernels.MatMul"/>
    public static void MatMul(Matrix x, Matrix w, float* b, Matrix y, int from, int to)
    {
        if (x.Rows == 1) MatMulOfOneRow(x.Data, w, b, y.Data, from, to);
        else MatMulOfRows(x, w, b, y, from, to, continues: false);
    }

    /// <inheritdoc cref="Kernels.MatMulAdd"/>
    public static void MatMulAdd(Matrix x, Matrix w, Matrix y, int from, int to) => MatMulOfRows(x, w, null, y, from, to, continues: true);

    /// <inheritdoc cref="Kernels.MatMulBackward"/>
    public static void MatMulBackward(Matrix dy, Matrix w, Matrix dx, int from, int to) =>
        MatMulOfRows(dy, w, null, dx, from, to, continues: false, isTransposed: true);

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

    /// <summary>What sums begin with: the bias, or zero where it is null.</summary>
    public static void Begin(float* b, float* y, int from, int to)
    {
        var sums = new Span<float>(y + from, to - from);
        if (b is null) sums.Clear();
        else new ReadOnlySpan<float>(b + from, to - from).CopyTo(sums);
    }

    // Weights stream by, eight rows at a time; y stays in the first-level cache meanwhile.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MatMulOfOneRow(float* x, Matrix w, float* b, float* y, int from, int to)
    {
        Begin(b, y, from, to);
        int i = 0;
        for (; i + 8 <= w.Rows; i += 8) MultiplyAdd8(x + i, w.RowPointer(i) + from, w.Stride, y + from, to - from);
        for (; i < w.Rows; i++) MultiplyAdd(x[i], w.RowPointer(i) + from, y + from, to - from);
    }

    private static void MatMulOfRows(Matrix x, Matrix w, float* b, Matrix y, int from, int to, bool continues, bool isTransposed = false)
    {
        for (int t = 0; t < x.Rows; t += GroupRows)
        {
            int rows = Math.Min(GroupRows, x.Rows - t);
            MatMulOfGroup(x.Skip(t).Take(rows), w, b, y.Skip(t).Take(rows), from, to, continues, isTransposed);
        }
    }

    // Weights stream by once, block by block, each copied to where it stays in the first-level cache for all rows of x: rows of w
    // lie so far apart that few of them fit there together. A later block comes from memory meanwhile.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MatMulOfGroup(Matrix x, Matrix w, float* b, Matrix y, int from, int to, bool continues, bool isTransposed)
    {
        float* memory = stackalloc float[Kernels.AlignedLength(BlockProducts<TWidth, TVector>.MaxRows * TileColumns)];
        float* block = Kernels.Align(memory);
        (int blockRows, int tiles) = BlockProducts<TWidth, TVector>.BlockOf(x);
        nint rowStep = isTransposed ? 1 : w.Stride, columnStep = isTransposed ? w.Stride : 1;
        for (int first = from, end; first < to; first = end)
        {
            end = Math.Min(first + (tiles * TileColumns), to);
            for (int t = 0; t < x.Rows && !continues; t++) Begin(b, y.RowPointer(t), first, end);
            for (int i = 0; i < x.Columns; i += blockRows)
            {
                int rows = Math.Min(blockRows, x.Columns - i);
                for (int column = first; column < end; column += TileColumns)
                {
                    int columns = Math.Min(TileColumns, end - column);
                    float* piece = w.Data + (i * rowStep) + (column * columnStep);
                    float* next = i + rows < x.Columns ? piece + (rows * rowStep) : w.Data + ((column + end - first) * columnStep);
                    if (isTransposed)
                    {
                        CopyTransposed(piece, w.Stride, rows, columns, block);
                        var ahead = new LookAhead(next, w.Stride, blockRows);
                        BlockProducts<TWidth, TVector>.Add(
                            x.Only(i, rows), block, TileColumns, y.Data + column, y.Stride, columns, ahead: &ahead);
                        continue;
                    }

                    Copy(piece, w.Stride, rows, columns, block);
                    BlockProducts<TWidth, TVector>.Add(
                        x.Only(i, rows), block, TileColumns, y.Data + column, y.Stride, columns, next, w.Stride);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Copy(float* w, nint wStride, int rows, int columns, float* block)
    {
        for (int i = 0; i < rows; i++, w += wStride, block += TileColumns)
        {
            if (columns == TileColumns)
            {
                TVector a = TWidth.Load(w), b = TWidth.Load(w + TWidth.Count);
                TWidth.Store(a, block);
                TWidth.Store(b, block + TWidth.Count);
                continue;
            }

            new ReadOnlySpan<float>(w, columns).CopyTo(new Span<float>(block, columns));
            new Span<float>(block + columns, TileColumns - columns).Clear();
        }
    }

    // [columns, rows] -> [rows, columns], and zeros behind the columns
    private static void CopyTransposed(float* w, nint wStride, int rows, int columns, float* block)
    {
        if (columns < TileColumns) new Span<float>(block, rows * TileColumns).Clear();
        Transposition.Copy(w, wStride, columns, rows, block, TileColumns);
    }

    // y += x[0]·w[0] + … + x[7]·w[7], each product fused to the sum before it
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyAdd8(float* x, float* w, nint stride, float* y, int count)
    {
        TVector x0 = TWidth.Broadcast(x[0]), x1 = TWidth.Broadcast(x[1]), x2 = TWidth.Broadcast(x[2]), x3 = TWidth.Broadcast(x[3]);
        TVector x4 = TWidth.Broadcast(x[4]), x5 = TWidth.Broadcast(x[5]), x6 = TWidth.Broadcast(x[6]), x7 = TWidth.Broadcast(x[7]);
        float* w4 = w + (4 * stride);
        var ahead = new LookAhead(w + (RowsAhead * stride), stride, count);
        int i = 0;
        for (; i + TWidth.Count <= count; i += TWidth.Count)
        {
            ahead.Ask8(TWidth.Count);
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

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace PicoGpt.Numerics;

/// <summary>
/// Products with a matrix of packed floating-point values, of one format at one vector width. Each output element is summed as in
/// <see cref="SimdProducts{W,V}"/>, so that the result is, to the last bit, that of float32 arithmetic on the unpacked values.
/// </summary>
internal static unsafe class PackedProducts<TFormat, TWidth, TVector>
    where TFormat : struct, IFloatFormat
    where TWidth : struct, IWidth<TVector>
    where TVector : struct
{
    private const int LineLength = 64;
    private const int Half = PackedMatrix.Side / 2;

    // Up to here it is faster to unpack weights into registers (measured, halves: 1.3 to 1.6 times for 8 to 16 rows, 1.15 for 64, 1.0 for 96).
    private const int MostFewRows = 64;

    // How far ahead of what one row of x is multiplied by it is asked for, where it is halves (measured: 1.02 to 1.1 times). It must stay below
    // a way of the first-level cache, 4 KiB, since what is not to stay gets no more than that.
    private const int BytesAhead = 3072;

    // Rows of a panel that a few rows of x are ahead in what they ask for, so that it comes while they compute (measured: 1.2 to 1.7 times
    // for 4 to 16 rows by float32 in memory, 1.0 to 1.2 times by less).
    private const int RowsAhead = 64;

    private static int FewRows => TFormat.IsFloat32 ? MostFewRows / 2 : MostFewRows; // there is nothing to unpack

    /// <summary>Bytes of a row: those of a panel follow one another.</summary>
    public static int RowSize
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TFormat.BlockSize / TFormat.Rows;
    }

    /// <inheritdoc cref="Kernels.MatMulPacked"/>
    public static void MatMul(Matrix x, PackedMatrix w, float* b, Matrix y, int from, int to)
    {
        if (x.Rows == 1) MatMulOfOneRow(x.Data, w, b, y.Data, from, to);
        else if (x.Rows <= FewRows) MatMulOfFewRows(x, w, b, y, from, to);
        else MatMulOfRows(x, w, b, y, from, to);
    }

    // Weights stream by, panel after panel: one stream is read faster than those of two panels side by side (measured: 1.03 to 1.25 times).
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MatMulOfOneRow(float* x, PackedMatrix w, float* b, float* y, int from, int to)
    {
        float* sums = stackalloc float[PackedMatrix.Side];
        for (int column = from; column < to; column += PackedMatrix.Side)
        {
            int columns = Math.Min(PackedMatrix.Side, to - column);
            var whole = new Span<float>(sums, PackedMatrix.Side);
            whole.Clear();
            if (b is not null) new ReadOnlySpan<float>(b + column, columns).CopyTo(whole);
            byte* panel = w.PanelPointer(column / PackedMatrix.Side);
            if (TWidth.Count == Half) Sum2(x, w.Rows, panel, sums);
            else for (int c = 0; c < Half; c += 2 * TWidth.Count) Sum4(x, w.Rows, panel, c, sums + c);
            whole[..columns].CopyTo(new Span<float>(y + column, columns));
        }
    }

    // Two vectors of columns: all of a panel.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sum2(float* x, int n, byte* block, float* sums)
    {
        TVector s0 = TWidth.Load(sums), s1 = TWidth.Load(sums + Half);
        for (; n > 0; n -= TFormat.Rows, x += TFormat.Rows, block += TFormat.BlockSize)
        {
            int rows = Math.Min(n, TFormat.Rows);
            for (int i = 0; i < rows; i++)
            {
                AskAhead(block + (i * RowSize));
                TVector factor = TWidth.Broadcast(x[i]);
                TFormat.Load<TWidth, TVector>(block, i, 0, out TVector w0, out TVector w1);
                s0 = TWidth.FusedMultiplyAdd(factor, w0, s0);
                s1 = TWidth.FusedMultiplyAdd(factor, w1, s1);
            }
        }

        TWidth.Store(s0, sums);
        TWidth.Store(s1, sums + Half);
    }

    // Four vectors of columns: two from column c on, two from 16 columns to the right.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sum4(float* x, int n, byte* block, int c, float* sums)
    {
        float* other = sums + TWidth.Count;
        TVector s0 = TWidth.Load(sums), s1 = TWidth.Load(sums + Half), s2 = TWidth.Load(other), s3 = TWidth.Load(other + Half);
        for (; n > 0; n -= TFormat.Rows, x += TFormat.Rows, block += TFormat.BlockSize)
        {
            int rows = Math.Min(n, TFormat.Rows);
            for (int i = 0; i < rows; i++)
            {
                AskAhead(block + (i * RowSize));
                TVector factor = TWidth.Broadcast(x[i]);
                TFormat.Load<TWidth, TVector>(block, i, c, out TVector w0, out TVector w1);
                s0 = TWidth.FusedMultiplyAdd(factor, w0, s0);
                s1 = TWidth.FusedMultiplyAdd(factor, w1, s1);
                TFormat.Load<TWidth, TVector>(block, i, c + TWidth.Count, out TVector w2, out TVector w3);
                s2 = TWidth.FusedMultiplyAdd(factor, w2, s2);
                s3 = TWidth.FusedMultiplyAdd(factor, w3, s3);
            }
        }

        TWidth.Store(s0, sums);
        TWidth.Store(s1, sums + Half);
        TWidth.Store(s2, other);
        TWidth.Store(s3, other + Half);
    }

    /// <summary>
    /// Asks for what one row of x, or a few more, will come to. Past the caches it pushes out nothing that the rest of the pass reads (measured: attention
    /// takes 0.65 times as long); processors where that pays ask for float32 early enough by themselves.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AskAhead(byte* row)
    {
        if (TFormat.IsFloat32) StreamAhead.AskToSecondLevel(row, RowSize);
        else StreamAhead.Ask(row, RowSize, BytesAhead);
    }

    /// <summary>Asks for rows that few rows of x will come to.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AskForRows(byte* row, int count)
    {
        if (!Sse.IsSupported) return;
        for (int i = 0; i < count * RowSize; i += LineLength) Sse.Prefetch1(row + (RowsAhead * RowSize) + i);
    }

    // Weights stream by, panel after panel; where the sums do not stay in registers, some weights do.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MatMulOfFewRows(Matrix x, PackedMatrix w, float* b, Matrix y, int from, int to)
    {
        bool fits = RegisterProducts<TFormat, TWidth, TVector>.Fits(x.Rows);
        float* memory = stackalloc float[Kernels.AlignedLength(MostFewRows * PackedMatrix.Side)];
        var sums = new Matrix(Kernels.Align(memory), x.Rows, PackedMatrix.Side);
        for (int column = from; column < to; column += PackedMatrix.Side)
        {
            int columns = Math.Min(PackedMatrix.Side, to - column);
            for (int t = 0; t < x.Rows; t++)
                SimdProducts<TWidth, TVector>.Begin(b is null ? null : b + column, sums.RowPointer(t), 0, columns);
            byte* panel = w.PanelPointer(column / PackedMatrix.Side);
            if (fits) RegisterProducts<TFormat, TWidth, TVector>.Add(x, panel, sums);
            else AddPanel(x, panel, sums);
            for (int t = 0; t < x.Rows; t++) sums.Row(t)[..columns].CopyTo(new Span<float>(y.RowPointer(t) + column, columns));
        }
    }

    // Four rows of a panel at a time are unpacked into registers and stay there for all rows of x.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddPanel(Matrix x, byte* block, Matrix sums) // [rows, n], [n, 32] -> [rows, 32]
    {
        for (int i = 0; i < x.Columns; i += TFormat.Rows, block += TFormat.BlockSize)
        {
            int whole = Math.Min(TFormat.Rows, x.Columns - i) / 4 * 4;
            for (int c = 0; c < Half; c += TWidth.Count)
            {
                int row = 0;
                for (; row < whole; row += 4)
                {
                    AskForRows(block + (row * RowSize), 4);
                    AddFour(x, i + row, block, row, c, sums);
                }

                for (; i + row < x.Columns && row < TFormat.Rows; row++) AddOne(x, i + row, block, row, c, sums);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddFour(Matrix x, int i, byte* block, int row, int column, Matrix sums)
    {
        TFormat.Load<TWidth, TVector>(block, row, column, out TVector left0, out TVector right0);
        TFormat.Load<TWidth, TVector>(block, row + 1, column, out TVector left1, out TVector right1);
        TFormat.Load<TWidth, TVector>(block, row + 2, column, out TVector left2, out TVector right2);
        TFormat.Load<TWidth, TVector>(block, row + 3, column, out TVector left3, out TVector right3);
        float* factors = x.Data + i, target = sums.Data + column;
        for (int t = x.Rows; t > 0; t--, factors += x.Stride, target += PackedMatrix.Side)
        {
            TVector factor = TWidth.Broadcast(factors[0]);
            TVector left = TWidth.FusedMultiplyAdd(factor, left0, TWidth.Load(target));
            TVector right = TWidth.FusedMultiplyAdd(factor, right0, TWidth.Load(target + Half));
            factor = TWidth.Broadcast(factors[1]);
            left = TWidth.FusedMultiplyAdd(factor, left1, left);
            right = TWidth.FusedMultiplyAdd(factor, right1, right);
            factor = TWidth.Broadcast(factors[2]);
            left = TWidth.FusedMultiplyAdd(factor, left2, left);
            right = TWidth.FusedMultiplyAdd(factor, right2, right);
            factor = TWidth.Broadcast(factors[3]);
            TWidth.Store(TWidth.FusedMultiplyAdd(factor, left3, left), target);
            TWidth.Store(TWidth.FusedMultiplyAdd(factor, right3, right), target + Half);
        }
    }

    private static void AddOne(Matrix x, int i, byte* block, int row, int column, Matrix sums)
    {
        TFormat.Load<TWidth, TVector>(block, row, column, out TVector left, out TVector right);
        float* target = sums.Data + column;
        for (int t = 0; t < x.Rows; t++, target += PackedMatrix.Side)
        {
            TVector factor = TWidth.Broadcast(x.RowPointer(t)[i]);
            TWidth.Store(TWidth.FusedMultiplyAdd(factor, left, TWidth.Load(target)), target);
            TWidth.Store(TWidth.FusedMultiplyAdd(factor, right, TWidth.Load(target + Half)), target + Half);
        }
    }

    // Weights stream by once, some rows of a panel at a time, and are unpacked once for all rows of x, or read where they are.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MatMulOfRows(Matrix x, PackedMatrix w, float* b, Matrix y, int from, int to)
    {
        int blockRows = BlockProducts<TWidth, TVector>.BlockOf(x).Rows, tileColumns = BlockProducts<TWidth, TVector>.TileColumns;
        float* memory = stackalloc float[Kernels.AlignedLength(BlockProducts<TWidth, TVector>.MaxRows * PackedMatrix.Side)];
        float* values = Kernels.Align(memory);
        for (int column = from; column < to; column += PackedMatrix.Side)
        {
            int columns = Math.Min(PackedMatrix.Side, to - column);
            for (int t = 0; t < x.Rows; t++) SimdProducts<TWidth, TVector>.Begin(b, y.RowPointer(t), column, column + columns);

            for (int i = 0; i < w.Rows; i += blockRows)
            {
                int rows = Math.Min(blockRows, w.Rows - i);
                float* block = Unpack(w, column / PackedMatrix.Side, i, rows, values);
                for (int c = 0; c < columns; c += tileColumns)
                {
                    float* next = TFormat.IsFloat32 ? block + (rows * PackedMatrix.Side) + c : null;
                    BlockProducts<TWidth, TVector>.Add(
                        x.Only(i, rows), block + c, PackedMatrix.Side, y.Data + column + c, y.Stride, Math.Min(tileColumns, columns - c), next, PackedMatrix.Side);
                }
            }
        }
    }

    // [rows, 32] from the given row on, which is the first of a block: in the given memory, or where they lie
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float* Unpack(PackedMatrix w, int panel, int from, int count, float* values)
    {
        byte* block = w.PanelPointer(panel) + ((nint)(from / TFormat.Rows) * TFormat.BlockSize);
        if (TFormat.IsFloat32) return (float*)block;
        for (int row = 0; row < count; row += TFormat.Rows, block += TFormat.BlockSize)
        {
            int rows = Math.Min(TFormat.Rows, count - row);
            for (int c = 0; c < Half; c += TWidth.Count)
            {
                float* target = values + ((nint)row * PackedMatrix.Side) + c;
                for (int i = 0; i < rows; i++, target += PackedMatrix.Side)
                {
                    TFormat.Load<TWidth, TVector>(block, i, c, out TVector left, out TVector right);
                    TWidth.Store(left, target);
                    TWidth.Store(right, target + Half);
                }
            }
        }

        return values;
    }
}

using System.Runtime.CompilerServices;

namespace PicoGpt.Numerics;

/// <summary>
/// Products of a few rows with a matrix of packed floating-point values, whose sums stay in registers while weights stream by. Each output
/// element is summed as in <see cref="SimdProducts{W,V}"/>.
/// </summary>
internal static unsafe class RegisterProducts<TFormat, TWidth, TVector>
    where TFormat : struct, IFloatFormat
    where TWidth : struct, IWidth<TVector>
    where TVector : struct
{
    private const int Side = PackedMatrix.Side;
    private const int Half = Side / 2;

    // Rows of w that stay in the first-level cache for all of a panel's columns.
    private const int RowsTogether = 64;

    /// <summary>
    /// The most rows that this is the fastest way for: it takes 0.35 to 0.8 times as long as to keep the sums in the first-level cache (measured). More rows
    /// of the widest vectors would unpack 16 bits too often.
    /// </summary>
    public static int MaxRows => TWidth.Count == Half && !TFormat.IsFloat32 ? 2 : 4;

    private static int RowSize
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TFormat.BlockSize / TFormat.Rows;
    }

    /// <inheritdoc cref="Kernels.MatMulPacked"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MatMul(Matrix x, PackedMatrix w, float* b, Matrix y, int from, int to)
    {
        float* memory = stackalloc float[Kernels.AlignedLength(MaxRows * Side)];
        var sums = new Matrix(Kernels.Align(memory), x.Rows, Side);
        for (int column = from; column < to; column += Side)
        {
            int columns = Math.Min(Side, to - column);
            for (int t = 0; t < x.Rows; t++) SimdProducts<TWidth, TVector>.Begin(b is null ? null : b + column, sums.RowPointer(t), 0, columns);
            Add(x, w.PanelPointer(column / Side), sums);
            for (int t = 0; t < x.Rows; t++) sums.Row(t)[..columns].CopyTo(new Span<float>(y.RowPointer(t) + column, columns));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Add(Matrix x, byte* panel, Matrix sums) // [rows, n], [n, 32] -> [rows, 32]
    {
        if (x.Rows == 2)
        {
            if (TWidth.Count == Half) Two(x, panel, sums);
            else for (int c = 0; c < Half; c += 2 * TWidth.Count) TwoByFour(x, panel, c, sums);
            return;
        }

        int together = TWidth.Count == Half ? x.Columns : RowsTogether;
        for (int i = 0; i < x.Columns; i += together, panel += together * RowSize)
        {
            int rows = Math.Min(together, x.Columns - i);
            for (int c = 0; c < Half; c += TWidth.Count) Four(x.Only(i, rows), panel, c, sums);
        }
    }

    // Two rows of x by all of a panel.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Two(Matrix x, byte* w, Matrix sums)
    {
        float* x0 = x.RowPointer(0), x1 = x.RowPointer(1), y0 = sums.RowPointer(0), y1 = sums.RowPointer(1);
        TVector a0 = TWidth.Load(y0), b0 = TWidth.Load(y0 + Half), a1 = TWidth.Load(y1), b1 = TWidth.Load(y1 + Half);
        for (nint i = 0; i < x.Columns; i++, w += RowSize)
        {
            PackedProducts<TFormat, TWidth, TVector>.AskAhead(w);
            TFormat.Load<TWidth, TVector>(w, 0, 0, out TVector left, out TVector right);
            TVector factor = TWidth.Broadcast(x0[i]);
            a0 = TWidth.FusedMultiplyAdd(factor, left, a0);
            b0 = TWidth.FusedMultiplyAdd(factor, right, b0);
            factor = TWidth.Broadcast(x1[i]);
            a1 = TWidth.FusedMultiplyAdd(factor, left, a1);
            b1 = TWidth.FusedMultiplyAdd(factor, right, b1);
        }

        Store2(a0, b0, y0);
        Store2(a1, b1, y1);
    }

    // Two rows of x by four vectors of columns: two from column c on, two from 16 columns to the right.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TwoByFour(Matrix x, byte* w, int c, Matrix sums)
    {
        float* x0 = x.RowPointer(0), x1 = x.RowPointer(1), y0 = sums.RowPointer(0) + c, y1 = sums.RowPointer(1) + c;
        float* other0 = y0 + TWidth.Count, other1 = y1 + TWidth.Count;
        TVector a0 = TWidth.Load(y0), b0 = TWidth.Load(y0 + Half), c0 = TWidth.Load(other0), d0 = TWidth.Load(other0 + Half);
        TVector a1 = TWidth.Load(y1), b1 = TWidth.Load(y1 + Half), c1 = TWidth.Load(other1), d1 = TWidth.Load(other1 + Half);
        for (nint i = 0; i < x.Columns; i++, w += RowSize)
        {
            PackedProducts<TFormat, TWidth, TVector>.AskAhead(w);
            TVector factor0 = TWidth.Broadcast(x0[i]), factor1 = TWidth.Broadcast(x1[i]);
            TFormat.Load<TWidth, TVector>(w, 0, c, out TVector left, out TVector right);
            a0 = TWidth.FusedMultiplyAdd(factor0, left, a0);
            b0 = TWidth.FusedMultiplyAdd(factor0, right, b0);
            a1 = TWidth.FusedMultiplyAdd(factor1, left, a1);
            b1 = TWidth.FusedMultiplyAdd(factor1, right, b1);
            TFormat.Load<TWidth, TVector>(w, 0, c + TWidth.Count, out left, out right);
            c0 = TWidth.FusedMultiplyAdd(factor0, left, c0);
            d0 = TWidth.FusedMultiplyAdd(factor0, right, d0);
            c1 = TWidth.FusedMultiplyAdd(factor1, left, c1);
            d1 = TWidth.FusedMultiplyAdd(factor1, right, d1);
        }

        Store2(a0, b0, y0);
        Store2(c0, d0, other0);
        Store2(a1, b1, y1);
        Store2(c1, d1, other1);
    }

    // Four rows of x, or three, of which the last is taken twice, by some rows of w and two vectors of columns.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Four(Matrix x, byte* w, int c, Matrix sums)
    {
        int last = x.Rows - 1;
        float* x0 = x.RowPointer(0), x1 = x.RowPointer(1), x2 = x.RowPointer(2), x3 = x.RowPointer(last);
        float* y0 = sums.RowPointer(0) + c, y1 = sums.RowPointer(1) + c, y2 = sums.RowPointer(2) + c, y3 = sums.RowPointer(last) + c;
        TVector a0 = TWidth.Load(y0), b0 = TWidth.Load(y0 + Half), a1 = TWidth.Load(y1), b1 = TWidth.Load(y1 + Half);
        TVector a2 = TWidth.Load(y2), b2 = TWidth.Load(y2 + Half), a3 = TWidth.Load(y3), b3 = TWidth.Load(y3 + Half);
        for (nint i = 0; i < x.Columns; i++, w += RowSize)
        {
            PackedProducts<TFormat, TWidth, TVector>.AskAhead(w);
            TFormat.Load<TWidth, TVector>(w, 0, c, out TVector left, out TVector right);
            TVector factor = TWidth.Broadcast(x0[i]);
            a0 = TWidth.FusedMultiplyAdd(factor, left, a0);
            b0 = TWidth.FusedMultiplyAdd(factor, right, b0);
            factor = TWidth.Broadcast(x1[i]);
            a1 = TWidth.FusedMultiplyAdd(factor, left, a1);
            b1 = TWidth.FusedMultiplyAdd(factor, right, b1);
            factor = TWidth.Broadcast(x2[i]);
            a2 = TWidth.FusedMultiplyAdd(factor, left, a2);
            b2 = TWidth.FusedMultiplyAdd(factor, right, b2);
            factor = TWidth.Broadcast(x3[i]);
            a3 = TWidth.FusedMultiplyAdd(factor, left, a3);
            b3 = TWidth.FusedMultiplyAdd(factor, right, b3);
        }

        Store2(a0, b0, y0);
        Store2(a1, b1, y1);
        Store2(a2, b2, y2);
        Store2(a3, b3, y3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store2(TVector left, TVector right, float* y)
    {
        TWidth.Store(left, y);
        TWidth.Store(right, y + Half);
    }
}

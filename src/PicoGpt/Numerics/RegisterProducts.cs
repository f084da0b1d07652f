using System.Runtime.CompilerServices;

namespace PicoGpt.Numerics;

/// <summary>
/// Products of a few rows with a panel of packed floating-point values, whose sums stay in registers while weights stream by. Each output
/// element is summed as in <see cref="SimdProducts{W,V}"/>.
/// </summary>
internal static unsafe class RegisterProducts<TFormat, TWidth, TVector>
    where TFormat : struct, IFloatFormat
    where TWidth : struct, IWidth<TVector>
    where TVector : struct
{
    private const int Half = PackedMatrix.Side / 2;

    // Rows of w that stay in the first-level cache for all of a panel's columns.
    private const int RowsTogether = 64;

    private const int MaxRows = 8;

    /// <summary>
    /// Whether so many rows are computed fastest this way, which takes 0.35 to 0.95 times as long as to keep the sums in the first-level cache (measured).
    /// Of some numbers of rows the widest vectors would unpack 16 bits too often.
    /// </summary>
    public static bool Fits(int rows) => TWidth.Count < Half ? rows <= 4 : TFormat.IsFloat32 ? rows <= MaxRows : rows is 2 or MaxRows;

    private static int RowSize => PackedProducts<TFormat, TWidth, TVector>.RowSize;

    /// <summary>Adds the products with a panel to the sums, of as many rows as <see cref="Fits"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(Matrix x, byte* panel, Matrix sums) // [rows, n], [n, 32] -> [rows, 32]
    {
        if (TWidth.Count == Half)
        {
            if (x.Rows > 4) Eight(x, panel, sums);
            else if (x.Rows > 2) Four(x, panel, 0, sums);
            else Two(x, panel, sums);
        }
        else if (x.Rows == 2)
        {
            for (int c = 0; c < Half; c += 2 * TWidth.Count) TwoByFour(x, panel, c, sums);
        }
        else
        {
            for (int i = 0; i < x.Columns; i += RowsTogether, panel += RowsTogether * RowSize)
            {
                Matrix some = x.Only(i, Math.Min(RowsTogether, x.Columns - i));
                for (int c = 0; c < Half; c += TWidth.Count) Four(some, panel, c, sums);
            }
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

    // Eight rows of x, or six, or one less, of which the last is taken twice.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Eight(Matrix x, byte* w, Matrix sums)
    {
        int last = x.Rows - 1, sixth = Math.Min(5, last), seventh = Math.Min(6, last);
        bool areMore = x.Rows > 6;
        float* x0 = x.RowPointer(0), y0 = sums.RowPointer(0);
        float* x1 = x.RowPointer(1), y1 = sums.RowPointer(1);
        float* x2 = x.RowPointer(2), y2 = sums.RowPointer(2);
        float* x3 = x.RowPointer(3), y3 = sums.RowPointer(3);
        float* x4 = x.RowPointer(4), y4 = sums.RowPointer(4);
        float* x5 = x.RowPointer(sixth), y5 = sums.RowPointer(sixth);
        float* x6 = x.RowPointer(seventh), y6 = sums.RowPointer(seventh);
        float* x7 = x.RowPointer(last), y7 = sums.RowPointer(last);
        TVector a0 = TWidth.Load(y0), b0 = TWidth.Load(y0 + Half), a1 = TWidth.Load(y1), b1 = TWidth.Load(y1 + Half);
        TVector a2 = TWidth.Load(y2), b2 = TWidth.Load(y2 + Half), a3 = TWidth.Load(y3), b3 = TWidth.Load(y3 + Half);
        TVector a4 = TWidth.Load(y4), b4 = TWidth.Load(y4 + Half), a5 = TWidth.Load(y5), b5 = TWidth.Load(y5 + Half);
        TVector a6 = TWidth.Load(y6), b6 = TWidth.Load(y6 + Half), a7 = TWidth.Load(y7), b7 = TWidth.Load(y7 + Half);
        for (nint i = 0; i < x.Columns; i++, w += RowSize)
        {
            PackedProducts<TFormat, TWidth, TVector>.AskForRows(w, 1);
            TFormat.Load<TWidth, TVector>(w, 0, 0, out TVector left, out TVector right);
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
            factor = TWidth.Broadcast(x4[i]);
            a4 = TWidth.FusedMultiplyAdd(factor, left, a4);
            b4 = TWidth.FusedMultiplyAdd(factor, right, b4);
            factor = TWidth.Broadcast(x5[i]);
            a5 = TWidth.FusedMultiplyAdd(factor, left, a5);
            b5 = TWidth.FusedMultiplyAdd(factor, right, b5);
            if (!areMore) continue;
            factor = TWidth.Broadcast(x6[i]);
            a6 = TWidth.FusedMultiplyAdd(factor, left, a6);
            b6 = TWidth.FusedMultiplyAdd(factor, right, b6);
            factor = TWidth.Broadcast(x7[i]);
            a7 = TWidth.FusedMultiplyAdd(factor, left, a7);
            b7 = TWidth.FusedMultiplyAdd(factor, right, b7);
        }

        Store2(a0, b0, y0);
        Store2(a1, b1, y1);
        Store2(a2, b2, y2);
        Store2(a3, b3, y3);
        Store2(a4, b4, y4);
        Store2(a5, b5, y5);
        if (!areMore) return;
        Store2(a6, b6, y6);
        Store2(a7, b7, y7);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store2(TVector left, TVector right, float* y)
    {
        TWidth.Store(left, y);
        TWidth.Store(right, y + Half);
    }
}

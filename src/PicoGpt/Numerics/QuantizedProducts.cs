using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace PicoGpt.Numerics;

/// <summary>
/// Products of integers with a packed matrix, of one format at one vector width: for every block of the matrix an exact sum of 32 bits, which
/// is scaled by both scales and added in float32, the blocks from first to last.
/// </summary>
internal static unsafe class QuantizedProducts<TFormat, TWidth, TVector>
    where TFormat : struct, IQuantizedFormat
    where TWidth : struct, IWidth<TVector>
    where TVector : struct
{
    private const int Side = PackedMatrix.Side;
    private const int LineLength = 64;
    private const int TileRows = Kernels.TileRows;

    // Up to here it is faster to unpack weights into registers (measured: 1.4 to 2.2 times for 2 rows, 1.2 to 1.6 for 4, 1.0 to 1.25 for 16).
    private const int MostFewRows = 16;

    // Rows of x that weights are unpacked into registers for.
    private const int FewRows = 4;

    // Rows of w whose codes, or whose unpacked integers, stay in the caches for all rows of x.
    private const int RowsTogether = 768;

    private static int ScalesSize => Side * sizeof(ushort);

    private static int StripSize => Side * TFormat.ColumnSize;

    private static int TileColumns => 2 * TWidth.Count;

    /// <inheritdoc cref="Kernels.MatMulQuantized"/>
    public static void MatMul(QuantizedMatrix x, PackedMatrix w, float* b, Matrix y, int from, int to)
    {
        if (x.Rows == 1) MatMulOfOneRow(x, w, b, y.Data, from, to);
        else MatMulOfRows(x, w, b, y, from, to);
    }

    // Weights stream by, panel after panel: one stream is read faster than those of two panels side by side (measured: 1.05 to 1.4 times).
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MatMulOfOneRow(QuantizedMatrix x, PackedMatrix w, float* b, float* y, int from, int to)
    {
        float* sums = stackalloc float[Side];
        for (int column = from; column < to; column += Side)
        {
            int columns = Math.Min(Side, to - column);
            var whole = new Span<float>(sums, Side);
            whole.Clear();
            if (b is not null) new ReadOnlySpan<float>(b + column, columns).CopyTo(whole);
            byte* panel = w.PanelPointer(column / Side);
            if (TileColumns == Side) Sum2(x, panel, sums);
            else for (int c = 0; c < Side; c += 4 * TWidth.Count) Sum4(x, panel, c, sums + c);
            whole[..columns].CopyTo(new Span<float>(y + column, columns));
        }
    }

    // Two vectors of columns, all of a panel. A block has an even number of strips, whose integers are summed in any order.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sum2(QuantizedMatrix x, byte* block, float* sums)
    {
        TVector sum0 = TWidth.Load(sums), sum1 = TWidth.Load(sums + TWidth.Count);
        short* factors = x.Data;
        for (int group = 0; group < x.Groups; group++, block += TFormat.BlockSize)
        {
            TVector zero = TWidth.Broadcast(0f), even0 = zero, even1 = zero, odd0 = zero, odd1 = zero;
            byte* even = block + ScalesSize;
            for (int i = 0; i < TFormat.Rows; i += 2 * TFormat.StripRows, factors += 2 * TFormat.StripRows, even += 2 * StripSize)
            {
                byte* odd = even + StripSize;
                AskAhead(even);
                AskAhead(odd);
                even0 = TFormat.Add<TWidth, TVector>(even, factors, even0);
                even1 = TFormat.Add<TWidth, TVector>(even + (TWidth.Count * TFormat.ColumnSize), factors, even1);
                odd0 = TFormat.Add<TWidth, TVector>(odd, factors + TFormat.StripRows, odd0);
                odd1 = TFormat.Add<TWidth, TVector>(odd + (TWidth.Count * TFormat.ColumnSize), factors + TFormat.StripRows, odd1);
            }

            TVector scale = TWidth.Broadcast(x.Scales[group]);
            ushort* scales = (ushort*)block;
            sum0 = Scaled(TWidth.AddIntegers(even0, odd0), TWidth.LoadBFloat16(scales), scale, sum0);
            sum1 = Scaled(TWidth.AddIntegers(even1, odd1), TWidth.LoadBFloat16(scales + TWidth.Count), scale, sum1);
        }

        TWidth.Store(sum0, sums);
        TWidth.Store(sum1, sums + TWidth.Count);
    }

    // Four vectors of columns from column c on.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sum4(QuantizedMatrix x, byte* block, int c, float* sums)
    {
        TVector sum0 = TWidth.Load(sums), sum1 = TWidth.Load(sums + TWidth.Count);
        TVector sum2 = TWidth.Load(sums + (2 * TWidth.Count)), sum3 = TWidth.Load(sums + (3 * TWidth.Count));
        int vector = TWidth.Count * TFormat.ColumnSize;
        short* factors = x.Data;
        for (int group = 0; group < x.Groups; group++, block += TFormat.BlockSize)
        {
            TVector zero = TWidth.Broadcast(0f), s0 = zero, s1 = zero, s2 = zero, s3 = zero;
            byte* strip = block + ScalesSize + (c * TFormat.ColumnSize);
            for (int i = 0; i < TFormat.Rows; i += TFormat.StripRows, factors += TFormat.StripRows, strip += StripSize)
            {
                AskAhead(strip);
                s0 = TFormat.Add<TWidth, TVector>(strip, factors, s0);
                s1 = TFormat.Add<TWidth, TVector>(strip + vector, factors, s1);
                s2 = TFormat.Add<TWidth, TVector>(strip + (2 * vector), factors, s2);
                s3 = TFormat.Add<TWidth, TVector>(strip + (3 * vector), factors, s3);
            }

            TVector scale = TWidth.Broadcast(x.Scales[group]);
            ushort* scales = (ushort*)block + c;
            sum0 = Scaled(s0, TWidth.LoadBFloat16(scales), scale, sum0);
            sum1 = Scaled(s1, TWidth.LoadBFloat16(scales + TWidth.Count), scale, sum1);
            sum2 = Scaled(s2, TWidth.LoadBFloat16(scales + (2 * TWidth.Count)), scale, sum2);
            sum3 = Scaled(s3, TWidth.LoadBFloat16(scales + (3 * TWidth.Count)), scale, sum3);
        }

        TWidth.Store(sum0, sums);
        TWidth.Store(sum1, sums + TWidth.Count);
        TWidth.Store(sum2, sums + (2 * TWidth.Count));
        TWidth.Store(sum3, sums + (3 * TWidth.Count));
    }

    // Weights stream by once, some blocks of a panel at a time. For many rows of x they are unpacked once, and the first rows ask for the next
    // blocks meanwhile; for few they stay in the first-level cache, and are unpacked into registers for four rows after the other.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MatMulOfRows(QuantizedMatrix x, PackedMatrix w, float* b, Matrix y, int from, int to)
    {
        bool areFew = x.Rows <= MostFewRows;
        float* memory = stackalloc float[areFew ? 0 : Kernels.AlignedLength(RowsTogether * Side / 2)];
        short* words = (short*)Kernels.Align(memory); // [rows / 2, 32, 2]
        int together = RowsTogether / TFormat.Rows, tileRows = areFew ? FewRows : TileRows;
        for (int column = from; column < to; column += Side)
        {
            int columns = Math.Min(Side, to - column);
            for (int t = 0; t < x.Rows; t++) SimdProducts<TWidth, TVector>.Begin(b, y.RowPointer(t), column, column + columns);
            byte* block = w.PanelPointer(column / Side);
            for (int group = 0; group < x.Groups; group += together, block += together * TFormat.BlockSize)
            {
                int groups = Math.Min(together, x.Groups - group);
                if (!areFew) Unpack(block, groups, words);
                byte* next = block + (groups * TFormat.BlockSize);
                for (int t = 0; t < x.Rows; t += tileRows, next = null)
                    AddTile(x, t, Math.Min(tileRows, x.Rows - t), group, groups, words, block, next, y.RowPointer(t) + column, y.Stride, columns);
            }
        }
    }

    // [groups · rows, 32] as pairs of rows
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Unpack(byte* block, int groups, short* words)
    {
        for (; groups > 0; groups--, block += TFormat.BlockSize)
        {
            byte* strip = block + ScalesSize;
            for (int i = 0; i < TFormat.Rows; i += TFormat.StripRows, strip += StripSize, words += TFormat.StripRows * Side)
            {
                for (int c = 0; c < Side; c += TWidth.Count)
                {
                    TVector codes = TFormat.Codes<TWidth, TVector>(strip + (c * TFormat.ColumnSize));
                    for (int k = 0; k < TFormat.StripRows; k += 2, codes = TFormat.Next<TWidth, TVector>(codes))
                        TWidth.Store(TFormat.Words<TWidth, TVector>(codes), (float*)(words + (k * Side) + (2 * c)));
                }
            }
        }
    }

    // At most six rows of x: [rows, groups], [groups, 32] -> [rows, columns]
    private static void AddTile(
        QuantizedMatrix x, int t, int rows, int group, int groups, short* words, byte* block, byte* next, float* y, nint yStride, int columns)
    {
        if (columns == Side)
        {
            AddTile(x, t, rows, group, groups, words, block, next, y, yStride);
            return;
        }

        float* sums = stackalloc float[TileRows * Side]; // what is behind the columns belongs to somebody else
        for (int i = 0; i < rows; i++) new ReadOnlySpan<float>(y + (i * yStride), columns).CopyTo(new Span<float>(sums + (i * Side), Side));
        AddTile(x, t, rows, group, groups, words, block, next, sums, Side);
        for (int i = 0; i < rows; i++) new ReadOnlySpan<float>(sums + (i * Side), columns).CopyTo(new Span<float>(y + (i * yStride), columns));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddTile(QuantizedMatrix x, int t, int rows, int group, int groups, short* words, byte* block, byte* next, float* y, nint yStride)
    {
        for (int c = 0; c < Side; c += TileColumns, next = null)
        {
            short* factors = x.Data + ((nint)t * x.Stride) + (group * TFormat.Rows);
            float* scales = x.Scales + ((nint)t * x.Groups) + group, sums = y + c;
            if (rows == TileRows)
            {
                Tile(factors, x.Stride, scales, x.Groups, words + (2 * c), (ushort*)block + c, groups, sums, yStride, next);
                continue;
            }

            AddFew(x, t, rows, group, groups, block, c, sums, yStride);
        }
    }

    // Some rows of x, four at a time or what is left of them: [rows, groups], [groups, two vectors] -> [rows, two vectors]
    private static void AddFew(QuantizedMatrix x, int t, int rows, int group, int groups, byte* block, int c, float* sums, nint stride)
    {
        byte* codes = block + ScalesSize + (c * TFormat.ColumnSize);
        ushort* wScales = (ushort*)block + c;
        for (; rows > 0; rows -= FewRows, t += FewRows, sums += FewRows * stride)
        {
            short* factors = x.Data + ((nint)t * x.Stride) + (group * TFormat.Rows);
            float* scales = x.Scales + ((nint)t * x.Groups) + group;
            if (rows > 2) Four(factors, x.Stride, rows > 3, scales, x.Groups, codes, wScales, groups, sums, stride);
            else Two(factors, x.Stride, rows > 1, scales, x.Groups, codes, wScales, groups, sums, stride);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile(
        short* x, nint xStride, float* xScales, nint xScalesStride, short* words, ushort* wScales, int groups, float* y, nint yStride, byte* next)
    {
        short* x0 = x, x1 = x0 + xStride, x2 = x1 + xStride, x3 = x2 + xStride, x4 = x3 + xStride, x5 = x4 + xStride;
        nint i = 0, step = next is null ? 0 : LineLength;
        if (next is null) next = (byte*)words; // asks for what is there
        for (; groups > 0; groups--, xScales++, wScales += TFormat.BlockSize / sizeof(ushort))
        {
            TVector zero = TWidth.Broadcast(0f);
            TVector a0 = zero, a1 = zero, a2 = zero, a3 = zero, a4 = zero, a5 = zero;
            TVector b0 = zero, b1 = zero, b2 = zero, b3 = zero, b4 = zero, b5 = zero;
            for (nint end = i + TFormat.Rows; i < end; i += 2, words += 2 * Side, next += step)
            {
                if (Sse.IsSupported) Sse.Prefetch1(next);
                TVector wa = TWidth.Load((float*)words), wb = TWidth.Load((float*)words + TWidth.Count);
                TVector pair = TWidth.BroadcastPair(x0 + i);
                a0 = TWidth.AddProducts(a0, wa, pair);
                b0 = TWidth.AddProducts(b0, wb, pair);
                pair = TWidth.BroadcastPair(x1 + i);
                a1 = TWidth.AddProducts(a1, wa, pair);
                b1 = TWidth.AddProducts(b1, wb, pair);
                pair = TWidth.BroadcastPair(x2 + i);
                a2 = TWidth.AddProducts(a2, wa, pair);
                b2 = TWidth.AddProducts(b2, wb, pair);
                pair = TWidth.BroadcastPair(x3 + i);
                a3 = TWidth.AddProducts(a3, wa, pair);
                b3 = TWidth.AddProducts(b3, wb, pair);
                pair = TWidth.BroadcastPair(x4 + i);
                a4 = TWidth.AddProducts(a4, wa, pair);
                b4 = TWidth.AddProducts(b4, wb, pair);
                pair = TWidth.BroadcastPair(x5 + i);
                a5 = TWidth.AddProducts(a5, wa, pair);
                b5 = TWidth.AddProducts(b5, wb, pair);
            }

            TVector aScale = TWidth.LoadBFloat16(wScales), bScale = TWidth.LoadBFloat16(wScales + TWidth.Count);
            float* sums = y, scale = xScales;
            AddScaled(a0, b0, aScale, bScale, *scale, sums);
            AddScaled(a1, b1, aScale, bScale, *(scale += xScalesStride), sums += yStride);
            AddScaled(a2, b2, aScale, bScale, *(scale += xScalesStride), sums += yStride);
            AddScaled(a3, b3, aScale, bScale, *(scale += xScalesStride), sums += yStride);
            AddScaled(a4, b4, aScale, bScale, *(scale += xScalesStride), sums += yStride);
            AddScaled(a5, b5, aScale, bScale, *(scale += xScalesStride), sums += yStride);
        }
    }

    // Four rows of x, or three, of which the last is taken twice.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Four(
        short* x, nint xStride, bool isWhole, float* xScales, nint xScalesStride, byte* codes, ushort* wScales, int groups, float* y, nint yStride)
    {
        short* x0 = x, x1 = x0 + xStride, x2 = x1 + xStride, x3 = x2 + (isWhole ? xStride : 0);
        nint i = 0;
        for (; groups > 0; groups--, xScales++, wScales += TFormat.BlockSize / sizeof(ushort), codes += ScalesSize)
        {
            TVector zero = TWidth.Broadcast(0f);
            TVector a0 = zero, a1 = zero, a2 = zero, a3 = zero, b0 = zero, b1 = zero, b2 = zero, b3 = zero;
            for (nint end = i + TFormat.Rows; i < end; codes += StripSize)
            {
                AskAhead(codes);
                TVector ca = TFormat.Codes<TWidth, TVector>(codes), cb = TFormat.Codes<TWidth, TVector>(codes + (TWidth.Count * TFormat.ColumnSize));
                for (int k = 0; k < TFormat.StripRows; k += 2, i += 2)
                {
                    TVector wa = TFormat.Words<TWidth, TVector>(ca), wb = TFormat.Words<TWidth, TVector>(cb);
                    TVector pair = TWidth.BroadcastPair(x0 + i);
                    a0 = TWidth.AddProducts(a0, wa, pair);
                    b0 = TWidth.AddProducts(b0, wb, pair);
                    pair = TWidth.BroadcastPair(x1 + i);
                    a1 = TWidth.AddProducts(a1, wa, pair);
                    b1 = TWidth.AddProducts(b1, wb, pair);
                    pair = TWidth.BroadcastPair(x2 + i);
                    a2 = TWidth.AddProducts(a2, wa, pair);
                    b2 = TWidth.AddProducts(b2, wb, pair);
                    pair = TWidth.BroadcastPair(x3 + i);
                    a3 = TWidth.AddProducts(a3, wa, pair);
                    b3 = TWidth.AddProducts(b3, wb, pair);
                    ca = TFormat.Next<TWidth, TVector>(ca);
                    cb = TFormat.Next<TWidth, TVector>(cb);
                }
            }

            TVector aScale = TWidth.LoadBFloat16(wScales), bScale = TWidth.LoadBFloat16(wScales + TWidth.Count);
            float* sums = y, scale = xScales;
            AddScaled(a0, b0, aScale, bScale, *scale, sums);
            AddScaled(a1, b1, aScale, bScale, *(scale += xScalesStride), sums += yStride);
            AddScaled(a2, b2, aScale, bScale, *(scale += xScalesStride), sums += yStride);
            if (isWhole) AddScaled(a3, b3, aScale, bScale, scale[xScalesStride], sums + yStride);
        }
    }

    // Two rows of x, or one twice.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Two(
        short* x, nint xStride, bool isWhole, float* xScales, nint xScalesStride, byte* codes, ushort* wScales, int groups, float* y, nint yStride)
    {
        short* x0 = x, x1 = x0 + (isWhole ? xStride : 0);
        nint i = 0;
        for (; groups > 0; groups--, xScales++, wScales += TFormat.BlockSize / sizeof(ushort), codes += ScalesSize)
        {
            TVector zero = TWidth.Broadcast(0f), a0 = zero, a1 = zero, b0 = zero, b1 = zero;
            for (nint end = i + TFormat.Rows; i < end; codes += StripSize)
            {
                AskAhead(codes);
                TVector ca = TFormat.Codes<TWidth, TVector>(codes), cb = TFormat.Codes<TWidth, TVector>(codes + (TWidth.Count * TFormat.ColumnSize));
                for (int k = 0; k < TFormat.StripRows; k += 2, i += 2)
                {
                    TVector wa = TFormat.Words<TWidth, TVector>(ca), wb = TFormat.Words<TWidth, TVector>(cb);
                    TVector pair = TWidth.BroadcastPair(x0 + i);
                    a0 = TWidth.AddProducts(a0, wa, pair);
                    b0 = TWidth.AddProducts(b0, wb, pair);
                    pair = TWidth.BroadcastPair(x1 + i);
                    a1 = TWidth.AddProducts(a1, wa, pair);
                    b1 = TWidth.AddProducts(b1, wb, pair);
                    ca = TFormat.Next<TWidth, TVector>(ca);
                    cb = TFormat.Next<TWidth, TVector>(cb);
                }
            }

            TVector aScale = TWidth.LoadBFloat16(wScales), bScale = TWidth.LoadBFloat16(wScales + TWidth.Count);
            AddScaled(a0, b0, aScale, bScale, *xScales, y);
            if (isWhole) AddScaled(a1, b1, aScale, bScale, xScales[xScalesStride], y + yStride);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddScaled(TVector left, TVector right, TVector leftScale, TVector rightScale, float xScale, float* y)
    {
        TVector scale = TWidth.Broadcast(xScale);
        TWidth.Store(Scaled(left, leftScale, scale, TWidth.Load(y)), y);
        TWidth.Store(Scaled(right, rightScale, scale, TWidth.Load(y + TWidth.Count)), y + TWidth.Count);
    }

    // addend + sums · (scale of w · scale of x), rounded as it stands
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Scaled(TVector sums, TVector wScale, TVector xScale, TVector addend) =>
        TWidth.FusedMultiplyAdd(TWidth.ConvertToSingle(sums), TWidth.Multiply(wScale, xScale), addend);

    // It is not to stay in a cache, where it would push out what the rest of the pass reads.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AskAhead(byte* strip)
    {
        if (!Sse.IsSupported) return;
        for (int i = 0; i < StripSize; i += LineLength) Sse.PrefetchNonTemporal(strip + TFormat.BytesAhead + i);
    }
}

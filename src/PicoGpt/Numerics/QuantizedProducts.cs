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

    private const int ScalesSize = Side * sizeof(ushort);

    private static int TileColumns
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 2 * TWidth.Count;
    }

    // Bytes from one vector of columns to the next.
    private static int VectorStep
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TWidth.Count * TFormat.ColumnSize;
    }

    // Bytes of as many integers of x as a unit of w has rows.
    private static int UnitStep
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TFormat.UnitRows * TFormat.IntegerSize;
    }

    // Cache lines of packed weights that go by with a unit.
    private static int LinesOfUnit
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Math.Min(TFormat.BlockSize * TFormat.UnitRows / TFormat.Rows / LineLength, 2);
    }

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

    // Two vectors of columns, all of a panel.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sum2(QuantizedMatrix x, byte* block, float* sums)
    {
        TVector sum0 = TWidth.Load(sums), sum1 = TWidth.Load(sums + TWidth.Count);
        VectorPair<TVector> table = TFormat.Table<TWidth, TVector>();
        byte* factors = x.Data;
        int groups = x.Groups, rows = TFormat.Rows, stripRows = TFormat.StripRows, size = TFormat.BlockSize, stripSize = TFormat.StripSize;
        int vector = VectorStep, step = UnitStep, units = TFormat.StripRows / TFormat.UnitRows;
        for (int group = 0; group < groups; group++, block += size)
        {
            TVector s0 = Start(x.Sums, group), s1 = s0;
            byte* strip = block + ScalesSize;
            for (int i = 0; i < rows; i += stripRows, factors += units * step, strip += stripSize)
            {
                AskAhead(strip);
                s0 = AddStrip(s0, strip, factors, table, step, units);
                s1 = AddStrip(s1, strip + vector, factors, table, step, units);
            }

            TVector scale = TWidth.Broadcast(x.Scales[group]);
            ushort* scales = (ushort*)block;
            sum0 = Scaled(s0, TWidth.LoadBFloat16(scales), scale, sum0);
            sum1 = Scaled(s1, TWidth.LoadBFloat16(scales + TWidth.Count), scale, sum1);
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
        VectorPair<TVector> table = TFormat.Table<TWidth, TVector>();
        byte* factors = x.Data;
        int groups = x.Groups, rows = TFormat.Rows, stripRows = TFormat.StripRows, size = TFormat.BlockSize, stripSize = TFormat.StripSize;
        int vector = VectorStep, step = UnitStep, units = TFormat.StripRows / TFormat.UnitRows;
        for (int group = 0; group < groups; group++, block += size)
        {
            TVector s0 = Start(x.Sums, group), s1 = s0, s2 = s0, s3 = s0;
            byte* strip = block + ScalesSize + (c * TFormat.ColumnSize);
            for (int i = 0; i < rows; i += stripRows, factors += units * step, strip += stripSize)
            {
                AskAhead(strip);
                s0 = AddStrip(s0, strip, factors, table, step, units);
                s1 = AddStrip(s1, strip + vector, factors, table, step, units);
                s2 = AddStrip(s2, strip + (2 * vector), factors, table, step, units);
                s3 = AddStrip(s3, strip + (3 * vector), factors, table, step, units);
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

    // The products of a strip's vector of columns with one row of x.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector AddStrip(TVector sums, byte* codes, byte* x, VectorPair<TVector> table, int step, int units)
    {
        sums = TFormat.Add<TWidth, TVector>(sums, TFormat.Unit<TWidth, TVector>(codes, 0, table), TFormat.Broadcast<TWidth, TVector>(x));
        if (units > 1) sums = TFormat.Add<TWidth, TVector>(sums, TFormat.Unit<TWidth, TVector>(codes, 1, table), TFormat.Broadcast<TWidth, TVector>(x + step));
        if (units > 2) sums = TFormat.Add<TWidth, TVector>(sums, TFormat.Unit<TWidth, TVector>(codes, 2, table), TFormat.Broadcast<TWidth, TVector>(x + (2 * step)));
        return sums;
    }

    // Weights stream by once, some blocks of a panel at a time. For many rows of x they are unpacked once, and the first rows ask for the next
    // blocks meanwhile; for few they stay in the first-level cache, and are unpacked into registers for four rows after the other.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MatMulOfRows(QuantizedMatrix x, PackedMatrix w, float* b, Matrix y, int from, int to)
    {
        bool areFew = x.Rows <= MostFewRows;
        int unitsTogether = areFew ? 0 : RowsTogether / TFormat.UnitRows;
        float* memory = stackalloc float[Kernels.AlignedLength(unitsTogether * TFormat.UnitSize / sizeof(float))];
        byte* units = (byte*)Kernels.Align(memory); // [rows / rows of a unit, bytes of a unit]
        int together = RowsTogether / TFormat.Rows, tileRows = areFew ? FewRows : TileRows;
        for (int column = from; column < to; column += Side)
        {
            int columns = Math.Min(Side, to - column);
            for (int t = 0; t < x.Rows; t++) SimdProducts<TWidth, TVector>.Begin(b, y.RowPointer(t), column, column + columns);
            byte* block = w.PanelPointer(column / Side);
            for (int group = 0; group < x.Groups; group += together, block += together * TFormat.BlockSize)
            {
                int groups = Math.Min(together, x.Groups - group);
                if (!areFew) Unpack(block, groups, units);
                byte* next = block + (groups * TFormat.BlockSize);
                for (int t = 0; t < x.Rows; t += tileRows, next = null)
                    AddTile(x, t, Math.Min(tileRows, x.Rows - t), group, groups, units, block, next, y.RowPointer(t) + column, y.Stride, columns);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Unpack(byte* block, int groups, byte* units)
    {
        VectorPair<TVector> table = TFormat.Table<TWidth, TVector>();
        int unitsOfStrip = TFormat.StripRows / TFormat.UnitRows, unitSize = TFormat.UnitSize, columnSize = TFormat.ColumnSize;
        for (; groups > 0; groups--, block += TFormat.BlockSize)
        {
            byte* strip = block + ScalesSize;
            for (int i = 0; i < TFormat.Rows; i += TFormat.StripRows, strip += TFormat.StripSize)
            {
                for (int index = 0; index < unitsOfStrip; index++, units += unitSize)
                {
                    for (int c = 0; c < Side; c += TWidth.Count)
                        TFormat.Store<TWidth, TVector>(TFormat.Unit<TWidth, TVector>(strip + (c * columnSize), index, table), units + (c * sizeof(float)));
                }
            }
        }
    }

    // At most six rows of x: [rows, groups], [groups, 32] -> [rows, columns]
    private static void AddTile(
        QuantizedMatrix x, int t, int rows, int group, int groups, byte* units, byte* block, byte* next, float* y, nint yStride, int columns)
    {
        if (columns == Side)
        {
            AddTile(x, t, rows, group, groups, units, block, next, y, yStride);
            return;
        }

        float* sums = stackalloc float[TileRows * Side]; // what is behind the columns belongs to somebody else
        for (int i = 0; i < rows; i++) new ReadOnlySpan<float>(y + (i * yStride), columns).CopyTo(new Span<float>(sums + (i * Side), Side));
        AddTile(x, t, rows, group, groups, units, block, next, sums, Side);
        for (int i = 0; i < rows; i++) new ReadOnlySpan<float>(sums + (i * Side), columns).CopyTo(new Span<float>(y + (i * yStride), columns));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddTile(QuantizedMatrix x, int t, int rows, int group, int groups, byte* units, byte* block, byte* next, float* y, nint yStride)
    {
        for (int c = 0; c < Side; c += TileColumns, next = null)
        {
            if (rows == TileRows) Tile(new Rows(x, t, group), units + (c * sizeof(float)), (ushort*)block + c, groups, y + c, yStride, next);
            else AddFew(x, t, rows, group, groups, block, c, y + c, yStride);
        }
    }

    // Some rows of x, four at a time or what is left of them: [rows, groups], [groups, two vectors] -> [rows, two vectors]
    private static void AddFew(QuantizedMatrix x, int t, int rows, int group, int groups, byte* block, int c, float* sums, nint stride)
    {
        byte* codes = block + ScalesSize + (c * TFormat.ColumnSize);
        ushort* wScales = (ushort*)block + c;
        for (; rows > 0; rows -= FewRows, t += FewRows, sums += FewRows * stride)
        {
            var some = new Rows(x, t, group);
            if (rows > 2) Four(some, rows > 3, codes, wScales, groups, sums, stride);
            else Two(some, rows > 1, codes, wScales, groups, sums, stride);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile(Rows x, byte* units, ushort* wScales, int groups, float* y, nint yStride, byte* next)
    {
        byte* x0 = x.Data, x1 = x0 + x.Stride, x2 = x1 + x.Stride, x3 = x2 + x.Stride, x4 = x3 + x.Stride, x5 = x4 + x.Stride;
        nint i = 0, step = next is null ? 0 : LineLength;
        if (next is null) next = units; // asks for what is there
        int unitStep = UnitStep, unitSize = TFormat.UnitSize, blockStep = TFormat.Rows * TFormat.IntegerSize, lines = LinesOfUnit, size = TFormat.BlockSize;
        for (int group = 0; group < groups; group++, wScales += size / sizeof(ushort))
        {
            TVector a0 = Start(x.Sums, group), a1 = Start(x.Sums, group + x.Groups), a2 = Start(x.Sums, group + (2 * x.Groups));
            TVector a3 = Start(x.Sums, group + (3 * x.Groups)), a4 = Start(x.Sums, group + (4 * x.Groups)), a5 = Start(x.Sums, group + (5 * x.Groups));
            TVector b0 = a0, b1 = a1, b2 = a2, b3 = a3, b4 = a4, b5 = a5;
            for (nint end = i + blockStep; i < end; i += unitStep, units += unitSize, next += lines * step)
            {
                Ask(next);
                if (lines > 1) Ask(next + step);
                VectorPair<TVector> wa = Load(units), wb = Load(units + (TWidth.Count * sizeof(float)));
                VectorPair<TVector> factors = Broadcast(x0 + i);
                a0 = Add(a0, wa, factors);
                b0 = Add(b0, wb, factors);
                factors = Broadcast(x1 + i);
                a1 = Add(a1, wa, factors);
                b1 = Add(b1, wb, factors);
                factors = Broadcast(x2 + i);
                a2 = Add(a2, wa, factors);
                b2 = Add(b2, wb, factors);
                factors = Broadcast(x3 + i);
                a3 = Add(a3, wa, factors);
                b3 = Add(b3, wb, factors);
                factors = Broadcast(x4 + i);
                a4 = Add(a4, wa, factors);
                b4 = Add(b4, wb, factors);
                factors = Broadcast(x5 + i);
                a5 = Add(a5, wa, factors);
                b5 = Add(b5, wb, factors);
            }

            TVector aScale = TWidth.LoadBFloat16(wScales), bScale = TWidth.LoadBFloat16(wScales + TWidth.Count);
            float* sums = y, scale = x.Scales + group;
            AddScaled(a0, b0, aScale, bScale, *scale, sums);
            AddScaled(a1, b1, aScale, bScale, *(scale += x.Groups), sums += yStride);
            AddScaled(a2, b2, aScale, bScale, *(scale += x.Groups), sums += yStride);
            AddScaled(a3, b3, aScale, bScale, *(scale += x.Groups), sums += yStride);
            AddScaled(a4, b4, aScale, bScale, *(scale += x.Groups), sums += yStride);
            AddScaled(a5, b5, aScale, bScale, *(scale += x.Groups), sums += yStride);
        }
    }

    // Four rows of x, or three, of which the last is taken twice.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Four(Rows x, bool isWhole, byte* codes, ushort* wScales, int groups, float* y, nint yStride)
    {
        int last = isWhole ? 3 : 2;
        byte* x0 = x.Data, x1 = x0 + x.Stride, x2 = x1 + x.Stride, x3 = x0 + (last * x.Stride);
        nint i = 0;
        VectorPair<TVector> table = TFormat.Table<TWidth, TVector>();
        int units = TFormat.StripRows / TFormat.UnitRows, unitStep = UnitStep, blockStep = TFormat.Rows * TFormat.IntegerSize;
        int vector = VectorStep, stripSize = TFormat.StripSize, size = TFormat.BlockSize;
        for (int group = 0; group < groups; group++, wScales += size / sizeof(ushort), codes += ScalesSize)
        {
            TVector a0 = Start(x.Sums, group), a1 = Start(x.Sums, group + x.Groups), a2 = Start(x.Sums, group + (2 * x.Groups));
            TVector a3 = Start(x.Sums, group + (last * x.Groups));
            TVector b0 = a0, b1 = a1, b2 = a2, b3 = a3;
            for (nint end = i + blockStep; i < end; codes += stripSize)
            {
                AskAhead(codes);
                for (int index = 0; index < units; index++, i += unitStep)
                {
                    VectorPair<TVector> wa = TFormat.Unit<TWidth, TVector>(codes, index, table), wb = TFormat.Unit<TWidth, TVector>(codes + vector, index, table);
                    VectorPair<TVector> factors = Broadcast(x0 + i);
                    a0 = Add(a0, wa, factors);
                    b0 = Add(b0, wb, factors);
                    factors = Broadcast(x1 + i);
                    a1 = Add(a1, wa, factors);
                    b1 = Add(b1, wb, factors);
                    factors = Broadcast(x2 + i);
                    a2 = Add(a2, wa, factors);
                    b2 = Add(b2, wb, factors);
                    factors = Broadcast(x3 + i);
                    a3 = Add(a3, wa, factors);
                    b3 = Add(b3, wb, factors);
                }
            }

            TVector aScale = TWidth.LoadBFloat16(wScales), bScale = TWidth.LoadBFloat16(wScales + TWidth.Count);
            float* sums = y, scale = x.Scales + group;
            AddScaled(a0, b0, aScale, bScale, *scale, sums);
            AddScaled(a1, b1, aScale, bScale, *(scale += x.Groups), sums += yStride);
            AddScaled(a2, b2, aScale, bScale, *(scale += x.Groups), sums += yStride);
            if (isWhole) AddScaled(a3, b3, aScale, bScale, scale[x.Groups], sums + yStride);
        }
    }

    // Two rows of x, or one twice.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Two(Rows x, bool isWhole, byte* codes, ushort* wScales, int groups, float* y, nint yStride)
    {
        int last = isWhole ? 1 : 0;
        byte* x0 = x.Data, x1 = x0 + (last * x.Stride);
        nint i = 0;
        VectorPair<TVector> table = TFormat.Table<TWidth, TVector>();
        int units = TFormat.StripRows / TFormat.UnitRows, unitStep = UnitStep, blockStep = TFormat.Rows * TFormat.IntegerSize;
        int vector = VectorStep, stripSize = TFormat.StripSize, size = TFormat.BlockSize;
        for (int group = 0; group < groups; group++, wScales += size / sizeof(ushort), codes += ScalesSize)
        {
            TVector a0 = Start(x.Sums, group), a1 = Start(x.Sums, group + (last * x.Groups)), b0 = a0, b1 = a1;
            for (nint end = i + blockStep; i < end; codes += stripSize)
            {
                AskAhead(codes);
                for (int index = 0; index < units; index++, i += unitStep)
                {
                    VectorPair<TVector> wa = TFormat.Unit<TWidth, TVector>(codes, index, table), wb = TFormat.Unit<TWidth, TVector>(codes + vector, index, table);
                    VectorPair<TVector> factors = Broadcast(x0 + i);
                    a0 = Add(a0, wa, factors);
                    b0 = Add(b0, wb, factors);
                    factors = Broadcast(x1 + i);
                    a1 = Add(a1, wa, factors);
                    b1 = Add(b1, wb, factors);
                }
            }

            TVector aScale = TWidth.LoadBFloat16(wScales), bScale = TWidth.LoadBFloat16(wScales + TWidth.Count);
            AddScaled(a0, b0, aScale, bScale, x.Scales[group], y);
            if (isWhole) AddScaled(a1, b1, aScale, bScale, x.Scales[group + x.Groups], y + yStride);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static VectorPair<TVector> Load(byte* unit) => TFormat.Load<TWidth, TVector>(unit);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static VectorPair<TVector> Broadcast(byte* x) => TFormat.Broadcast<TWidth, TVector>(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Add(TVector sums, VectorPair<TVector> unit, VectorPair<TVector> x) => TFormat.Add<TWidth, TVector>(sums, unit, x);

    // What takes the bias of a unit's integers back: exact, as all of the sum is.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Start(int* sums, int group) =>
        TWidth.Broadcast(TFormat.Bias == 0 ? 0f : BitConverter.Int32BitsToSingle(-TFormat.Bias * sums[group]));

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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AskAhead(byte* strip) => StreamAhead.Ask(strip, TFormat.StripSize, TFormat.BytesAhead);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Ask(byte* next)
    {
        if (Sse.IsSupported) Sse.Prefetch1(next);
    }

    /// <summary>Some rows of x from a group on.</summary>
    private readonly struct Rows(QuantizedMatrix x, int row, int group)
    {
        public byte* Data { get; } = x.Data + ((nint)row * x.Stride) + (group * TFormat.Rows * TFormat.IntegerSize);

        public float* Scales { get; } = x.Scales + ((nint)row * x.Groups) + group;

        public int* Sums { get; } = x.Sums + ((nint)row * x.Groups) + group;

        /// <summary>Bytes from one row to the next.</summary>
        public nint Stride { get; } = x.Stride;

        /// <summary>Scales and sums from one row to the next.</summary>
        public int Groups { get; } = x.Groups;
    }
}

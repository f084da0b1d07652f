using System.Runtime.Intrinsics.X86;

namespace PicoGpt.Numerics;

/// <summary>The kernels at one vector width; tails shorter than a vector are walked one element at a time, in the same order.</summary>
internal sealed unsafe class SimdKernels<TWidth, TVector> : Kernels
    where TWidth : struct, IWidth<TVector>
    where TVector : struct
{
    // Dot products that are computed together.
    private const int DotRows = 4;
    private const int DotColumns = 2;

    // From so many rows of x on, packing the columns of w costs less than it gains (measured: between 150 and 190).
    private const int Many = 160;

    // How many rows of w are asked for in advance: the hardware's own prefetching does not follow columns.
    private const int RowsAhead = 8;

    // Half of the smallest first-level cache there is.
    private const int CachedElements = 4096;

    private static int TileColumns => 2 * TWidth.Count;

    public override string Name => (TWidth.Count * 32).ToString(System.Globalization.CultureInfo.InvariantCulture);

    public override void MatMul(Matrix x, Matrix w, float* b, Matrix y, int from, int to, float* panel)
    {
        if (x.Rows < 2) MatMulOfOneRow(x.Data, w, b, y.Data, from, to);
        else if (x.Rows < Many) MatMulOfFewRows(x, w, b, y, from, to);
        else MatMulOfManyRows(x, w, b, y, from, to, panel);
    }

    public override void MatMulTransposed(Matrix x, Matrix w, Matrix y, int from, int to)
    {
        float* lanes = stackalloc float[DotRows * DotColumns * Lanes];
        int o = from;
        for (; x.Rows >= DotRows && o + DotColumns <= to; o += DotColumns)
        {
            for (int row = 0; row < x.Rows; row += DotRows)
            {
                int t = Math.Min(row, x.Rows - DotRows); // the last tile may compute some rows once more
                Dots(x.RowPointer(t), x.Stride, w.RowPointer(o), w.Stride, x.Columns, lanes);
                for (int i = 0; i < DotRows * DotColumns; i++) y.RowPointer(t + (i / DotColumns))[o + (i % DotColumns)] = Fold(lanes + (i * Lanes));
            }
        }

        for (; o < to; o++)
        {
            for (int t = 0; t < x.Rows; t++) y.RowPointer(t)[o] = Dot(x.RowPointer(t), w.RowPointer(o), x.Columns);
        }
    }

    public override void LayerNorm(Matrix x, float* g, float* b, Matrix y, int from, int to)
    {
        int n = x.Columns;
        for (int t = from; t < to; t++)
        {
            float* result = y.RowPointer(t);
            Subtract(x.RowPointer(t), Sum(x.RowPointer(t), n) / n, result, n);
            float variance = Dot(result, result, n) / n;
            ScaleShift(result, 1f / MathF.Sqrt(variance + Epsilon), g, b, n);
        }
    }

    public override void Gelu(float* x, int count)
    {
        TVector one = TWidth.Broadcast(1f);
        TVector cubic = TWidth.Broadcast(GeluCubic);
        TVector linear = TWidth.Broadcast(GeluLinear);
        TVector minus = TWidth.Broadcast(-1f);
        int i = 0;
        for (; i + TWidth.Count <= count; i += TWidth.Count)
        {
            TVector v = TWidth.Load(x + i);
            TVector inner = TWidth.Multiply(v, TWidth.FusedMultiplyAdd(TWidth.Multiply(v, v), cubic, linear));
            TVector exponential = Exponential.Of<TWidth, TVector>(TWidth.Multiply(inner, minus));
            TWidth.Store(TWidth.Divide(v, TWidth.Add(one, exponential)), x + i);
        }

        for (; i < count; i++) x[i] = PlainKernels.Gelu(x[i]);
    }

    public override void Add(float* y, float* x, int count)
    {
        int i = 0;
        for (; i + TWidth.Count <= count; i += TWidth.Count) TWidth.Store(TWidth.Add(TWidth.Load(y + i), TWidth.Load(x + i)), y + i);
        for (; i < count; i++) y[i] += x[i];
    }

    public override void Scores(Matrix q, float* keys, nint blockStride, float scale, Matrix scores)
    {
        float* zero = stackalloc float[PanelColumns];
        for (int j = 0; j < scores.Columns; j += KeyBlock, keys += blockStride)
        {
            if (q.Rows == TileRows)
            {
                for (int i = 0; i < KeyBlock; i += TileColumns)
                    Tile(q.Data, q.Stride, keys + i, KeyBlock, q.Columns, zero, 0, scores.Data + j + i, scores.Stride);
                continue;
            }

            for (int t = 0; t < q.Rows; t++)
            {
                for (int i = 0; i < KeyBlock; i += 4 * TWidth.Count) Scores(q.RowPointer(t), keys + i, q.Columns, scores.RowPointer(t) + j + i);
            }
        }

        for (int t = 0; t < q.Rows; t++) Scale(scores.RowPointer(t), scale, scores.Columns);
    }

    public override void Softmax(float* x, int count)
    {
        int padded = (count + Lanes - 1) / Lanes * Lanes;
        for (int i = count; i < padded; i++) x[i] = float.NegativeInfinity;
        TVector max = TWidth.Broadcast(Max(x, padded));
        for (int i = 0; i < padded; i += TWidth.Count)
            TWidth.Store(Exponential.Of<TWidth, TVector>(TWidth.Subtract(TWidth.Load(x + i), max)), x + i);
        for (int i = count; i < padded; i++) x[i] = 0;
        Scale(x, 1f / Sum(x, padded), padded);
    }

    public override void WeightedSum(Matrix p, float* values, int count, Matrix y)
    {
        int width = y.Columns;
        if (p.Rows != TileRows || width % TileColumns != 0)
        {
            for (int t = 0; t < p.Rows; t++) WeightedSum(p.RowPointer(t), values, count + t, width, y.RowPointer(t));
            return;
        }

        // The positions that all rows have are summed together, the few further ones of the later rows after them.
        float* zero = stackalloc float[PanelColumns];
        for (int d = 0; d < width; d += TileColumns) Tile(p.Data, p.Stride, values + d, width, count, zero, 0, y.Data + d, y.Stride);
        for (int t = 1; t < p.Rows; t++)
        {
            for (int j = count; j < count + t; j++) MultiplyAdd(p.RowPointer(t)[j], values + ((nint)j * width), y.RowPointer(t), width);
        }
    }

    // Weights stream by, eight rows at a time; y stays in the first-level cache meanwhile.
    private static void MatMulOfOneRow(float* x, Matrix w, float* b, float* y, int from, int to)
    {
        new ReadOnlySpan<float>(b + from, to - from).CopyTo(new Span<float>(y + from, to - from));
        int i = 0;
        for (; i + 8 <= w.Rows; i += 8) MultiplyAdd8(x + i, w.RowPointer(i) + from, w.Stride, y + from, to - from);
        for (; i < w.Rows; i++) MultiplyAdd(x[i], w.RowPointer(i) + from, y + from, to - from);
    }

    // Weights stream by once, four rows and two vectors at a time, and are used for all rows of x while in registers. So
    // many columns are taken together as let y stay in the first-level cache.
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
    private static void MatMulOfManyRows(Matrix x, Matrix w, float* b, Matrix y, int from, int to, float* panel)
    {
        float* bias = panel + ((nint)w.Rows * TileColumns);
        float* tile = bias + TileColumns;
        for (int column = from; column < to; column += TileColumns)
        {
            int columns = Math.Min(TileColumns, to - column);
            Pack(w, column, columns, panel);
            Pack(new Matrix(b, 1, w.Columns), column, columns, bias);
            for (int row = 0; row < x.Rows; row += TileRows)
            {
                int t = Math.Min(row, x.Rows - TileRows); // the last tile may compute some rows once more
                if (columns == TileColumns)
                {
                    Tile(x.RowPointer(t), x.Stride, panel, TileColumns, w.Rows, bias, 0, y.RowPointer(t) + column, y.Stride);
                    continue;
                }

                Tile(x.RowPointer(t), x.Stride, panel, TileColumns, w.Rows, bias, 0, tile, TileColumns);
                for (int r = 0; r < TileRows; r++)
                    new ReadOnlySpan<float>(tile + (r * TileColumns), columns).CopyTo(new Span<float>(y.RowPointer(t + r) + column, columns));
            }
        }
    }

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

    // y[t, :] = init[t, :] + Σ x[t, i] · w[i, :], i from 0 to n, for six rows t and two vectors of columns
    private static void Tile(float* x, nint xStride, float* w, nint wStride, int n, float* init, nint initStride, float* y, nint yStride)
    {
        float* x0 = x, x1 = x0 + xStride, x2 = x1 + xStride, x3 = x2 + xStride, x4 = x3 + xStride, x5 = x4 + xStride;
        TVector a0 = TWidth.Load(init), b0 = TWidth.Load(init + TWidth.Count);
        TVector a1 = TWidth.Load(init += initStride), b1 = TWidth.Load(init + TWidth.Count);
        TVector a2 = TWidth.Load(init += initStride), b2 = TWidth.Load(init + TWidth.Count);
        TVector a3 = TWidth.Load(init += initStride), b3 = TWidth.Load(init + TWidth.Count);
        TVector a4 = TWidth.Load(init += initStride), b4 = TWidth.Load(init + TWidth.Count);
        TVector a5 = TWidth.Load(init += initStride), b5 = TWidth.Load(init + TWidth.Count);
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

    private static void WeightedSum(float* p, float* values, int count, int width, float* y)
    {
        int d = 0;
        for (; d + (4 * TWidth.Count) <= width; d += 4 * TWidth.Count) WeightedSum4(p, values + d, count, width, y + d);
        for (; d < width; d += TWidth.Count)
        {
            TVector sum = TWidth.Broadcast(0f);
            for (int j = 0; j < count; j++) sum = TWidth.FusedMultiplyAdd(TWidth.Broadcast(p[j]), TWidth.Load(values + ((nint)j * width) + d), sum);
            TWidth.Store(sum, y + d);
        }
    }

    private static void WeightedSum4(float* p, float* values, int count, int width, float* y)
    {
        TVector y0 = TWidth.Broadcast(0f), y1 = y0, y2 = y0, y3 = y0;
        for (int j = 0; j < count; j++, values += width)
        {
            TVector factor = TWidth.Broadcast(p[j]);
            y0 = TWidth.FusedMultiplyAdd(factor, TWidth.Load(values), y0);
            y1 = TWidth.FusedMultiplyAdd(factor, TWidth.Load(values + TWidth.Count), y1);
            y2 = TWidth.FusedMultiplyAdd(factor, TWidth.Load(values + (2 * TWidth.Count)), y2);
            y3 = TWidth.FusedMultiplyAdd(factor, TWidth.Load(values + (3 * TWidth.Count)), y3);
        }

        Store4(y0, y1, y2, y3, y);
    }

    private static void Scores(float* q, float* keys, int headSize, float* scores)
    {
        TVector s0 = TWidth.Broadcast(0f), s1 = s0, s2 = s0, s3 = s0;
        for (int d = 0; d < headSize; d++, keys += KeyBlock)
        {
            TVector factor = TWidth.Broadcast(q[d]);
            s0 = TWidth.FusedMultiplyAdd(factor, TWidth.Load(keys), s0);
            s1 = TWidth.FusedMultiplyAdd(factor, TWidth.Load(keys + TWidth.Count), s1);
            s2 = TWidth.FusedMultiplyAdd(factor, TWidth.Load(keys + (2 * TWidth.Count)), s2);
            s3 = TWidth.FusedMultiplyAdd(factor, TWidth.Load(keys + (3 * TWidth.Count)), s3);
        }

        Store4(s0, s1, s2, s3, scores);
    }

    private static void Store4(TVector v0, TVector v1, TVector v2, TVector v3, float* destination)
    {
        TWidth.Store(v0, destination);
        TWidth.Store(v1, destination + TWidth.Count);
        TWidth.Store(v2, destination + (2 * TWidth.Count));
        TWidth.Store(v3, destination + (3 * TWidth.Count));
    }

    // y += x[0]·w[0] + … + x[7]·w[7], each product fused to the sum before it
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

    private static void MultiplyAdd(float factor, float* w, float* y, int count)
    {
        TVector x = TWidth.Broadcast(factor);
        int i = 0;
        for (; i + TWidth.Count <= count; i += TWidth.Count) TWidth.Store(TWidth.FusedMultiplyAdd(x, TWidth.Load(w + i), TWidth.Load(y + i)), y + i);
        for (; i < count; i++) y[i] = MathF.FusedMultiplyAdd(factor, w[i], y[i]);
    }

    private static void Subtract(float* x, float value, float* y, int count)
    {
        TVector v = TWidth.Broadcast(value);
        int i = 0;
        for (; i + TWidth.Count <= count; i += TWidth.Count) TWidth.Store(TWidth.Subtract(TWidth.Load(x + i), v), y + i);
        for (; i < count; i++) y[i] = x[i] - value;
    }

    private static void ScaleShift(float* y, float scale, float* g, float* b, int count)
    {
        TVector s = TWidth.Broadcast(scale);
        int i = 0;
        for (; i + TWidth.Count <= count; i += TWidth.Count)
            TWidth.Store(TWidth.FusedMultiplyAdd(TWidth.Multiply(TWidth.Load(y + i), s), TWidth.Load(g + i), TWidth.Load(b + i)), y + i);
        for (; i < count; i++) y[i] = MathF.FusedMultiplyAdd(y[i] * scale, g[i], b[i]);
    }

    // count is a multiple of the lanes
    private static void Scale(float* x, float factor, int count)
    {
        TVector f = TWidth.Broadcast(factor);
        for (int i = 0; i < count; i += TWidth.Count) TWidth.Store(TWidth.Multiply(TWidth.Load(x + i), f), x + i);
    }

    private static float Max(float* x, int count)
    {
        TVector max = TWidth.Load(x);
        for (int i = TWidth.Count; i < count; i += TWidth.Count) max = TWidth.Max(max, TWidth.Load(x + i));
        float* lanes = stackalloc float[TWidth.Count];
        TWidth.Store(max, lanes);
        float result = lanes[0];
        for (int i = 1; i < TWidth.Count; i++) result = MathF.Max(result, lanes[i]);
        return result;
    }

    private static float Sum(float* x, int count)
    {
        float* lanes = stackalloc float[Lanes];
        int whole = count / Lanes * Lanes;
        for (int lane = 0; lane < Lanes; lane += TWidth.Count)
        {
            TVector sum = TWidth.Broadcast(0f);
            for (int i = lane; i < whole; i += Lanes) sum = TWidth.Add(sum, TWidth.Load(x + i));
            TWidth.Store(sum, lanes + lane);
        }

        for (int i = whole; i < count; i++) lanes[i % Lanes] += x[i];
        return Fold(lanes);
    }

    // the partial sums of four rows of x with two rows of w: [4, 2, 16]
    private static void Dots(float* x, nint xStride, float* w, nint wStride, int count, float* lanes)
    {
        int whole = count / Lanes * Lanes;
        float* x1 = x + xStride, x2 = x1 + xStride, x3 = x2 + xStride, w1 = w + wStride;
        for (int lane = 0; lane < Lanes; lane += TWidth.Count)
        {
            TVector s00 = TWidth.Broadcast(0f), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
            for (int i = lane; i < whole; i += Lanes)
            {
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
            TWidth.Store(s01, lanes + Lanes + lane);
            TWidth.Store(s10, lanes + (2 * Lanes) + lane);
            TWidth.Store(s11, lanes + (3 * Lanes) + lane);
            TWidth.Store(s20, lanes + (4 * Lanes) + lane);
            TWidth.Store(s21, lanes + (5 * Lanes) + lane);
            TWidth.Store(s30, lanes + (6 * Lanes) + lane);
            TWidth.Store(s31, lanes + (7 * Lanes) + lane);
        }

        for (int i = whole; i < count; i++)
        {
            for (int k = 0; k < DotRows * DotColumns; k++)
            {
                float* sum = lanes + (k * Lanes) + (i % Lanes);
                *sum = MathF.FusedMultiplyAdd(x[(k / DotColumns * xStride) + i], w[(k % DotColumns * wStride) + i], *sum);
            }
        }
    }

    private static float Dot(float* x, float* y, int count)
    {
        float* lanes = stackalloc float[Lanes];
        int whole = count / Lanes * Lanes;
        for (int lane = 0; lane < Lanes; lane += TWidth.Count)
        {
            TVector sum = TWidth.Broadcast(0f);
            for (int i = lane; i < whole; i += Lanes) sum = TWidth.FusedMultiplyAdd(TWidth.Load(x + i), TWidth.Load(y + i), sum);
            TWidth.Store(sum, lanes + lane);
        }

        for (int i = whole; i < count; i++) lanes[i % Lanes] = MathF.FusedMultiplyAdd(x[i], y[i], lanes[i % Lanes]);
        return Fold(lanes);
    }
}

using System.Runtime.CompilerServices;

namespace PicoGpt.Numerics;

/// <summary>The kernels at one vector width; tails shorter than a vector are walked one element at a time, in the same order.</summary>
internal sealed unsafe class SimdKernels<TWidth, TVector> : Kernels
    where TWidth : struct, IWidth<TVector>
    where TVector : struct
{
    private static int TileColumns => BlockProducts<TWidth, TVector>.TileColumns;

    /// <summary>Positions of a block of keys whose scores are computed together for a row.</summary>
    internal static int ScoresTogether => Math.Min(4 * TWidth.Count, KeyBlock);

    public override string Name => (TWidth.Count * 32).ToString(System.Globalization.CultureInfo.InvariantCulture);

    public override void MatMul(Matrix x, Matrix w, float* b, Matrix y, int from, int to) =>
        SimdProducts<TWidth, TVector>.MatMul(x, w, b, y, from, to);

    public override void MatMulPacked(Matrix x, PackedMatrix w, float* b, Matrix y, int from, int to) =>
        ((FloatFormat)w.Format).MatMul<TWidth, TVector>(x, w, b, y, from, to);

    public override void Quantize(Matrix x, QuantizedMatrix y, int from, int to) => Quantization<TWidth, TVector>.Quantize(x, y, from, to);

    public override void MatMulQuantized(QuantizedMatrix x, PackedMatrix w, float* b, Matrix y, int from, int to) =>
        ((QuantizedFormat)w.Format).MatMul<TWidth, TVector>(x, w, b, y, from, to);

    public override void MatMulTransposed(Matrix x, Matrix w, Matrix y, int from, int to) =>
        SimdSums<TWidth, TVector>.MatMulTransposed(x, w, y, from, to);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void LayerNorm(Matrix x, float* g, float* b, float epsilon, Matrix y, int from, int to)
    {
        int n = x.Columns;
        for (int t = from; t < to; t++)
        {
            float* result = y.RowPointer(t);
            Subtract(x.RowPointer(t), SimdSums<TWidth, TVector>.Sum(x.RowPointer(t), n) / n, result, n);
            float variance = SimdSums<TWidth, TVector>.Dot(result, result, n) / n;
            float scale = 1f / MathF.Sqrt(variance + epsilon);
            if (b is null) Scale(result, scale, g, n);
            else ScaleShift(result, scale, g, b, n);
        }
    }

    public override void Activate(ActivationFunction function, float* x, int count) => function.Apply<TWidth, TVector>(x, count);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Add(float* y, float* x, int count)
    {
        int i = 0;
        for (; i + TWidth.Count <= count; i += TWidth.Count) TWidth.Store(TWidth.Add(TWidth.Load(y + i), TWidth.Load(x + i)), y + i);
        for (; i < count; i++) y[i] += x[i];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Scores(Matrix q, float* keys, float scale, Matrix scores)
    {
        if (q.Rows == TileRows) ScoresOfTile(q, keys, scores);
        else ScoresOfRows(q, keys, scores);
        for (int t = 0; t < q.Rows; t++) Scale(scores.RowPointer(t), scale, scores.Columns);
    }

    public override void Scores(Matrix q, short* keys, float* scales, float scale, Matrix scores)
    {
        RoundedAttention<TWidth, TVector>.Dots(q, keys, scales, scores);
        for (int t = 0; t < q.Rows; t++) Scale(scores.RowPointer(t), scale, scores.Columns);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Softmax(float* x, int count)
    {
        int padded = (count + Lanes - 1) / Lanes * Lanes;
        for (int i = count; i < padded; i++) x[i] = float.NegativeInfinity;
        TVector max = TWidth.Broadcast(Max(x, padded));
        for (int i = 0; i < padded; i += TWidth.Count)
            TWidth.Store(Exponential.Of<TWidth, TVector>(TWidth.Subtract(TWidth.Load(x + i), max)), x + i);
        for (int i = count; i < padded; i++) x[i] = 0;
        Scale(x, 1f / SimdSums<TWidth, TVector>.Sum(x, padded), padded);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
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
        for (int d = 0; d < width; d += TileColumns) Tile(p.Data, p.Stride, values + d, width, count, zero, y.Data + d, y.Stride);
        for (int t = 1; t < p.Rows; t++)
        {
            for (int j = count; j < count + t; j++)
                SimdProducts<TWidth, TVector>.MultiplyAdd(p.RowPointer(t)[j], values + ((nint)j * width), y.RowPointer(t), width);
        }
    }

    public override void WeightedSum(Matrix p, short* values, float* scales, int count, Matrix y) =>
        RoundedAttention<TWidth, TVector>.WeightedSum(p, values, scales, count, y);

    public override float Round(float* x, short* y, int count) => Quantization<TWidth, TVector>.Round(x, y, count);

    public override void WidenKeys(short* keys, float* scales, int headSize, float* y) =>
        RoundedAttention<TWidth, TVector>.WidenKeys(keys, scales, headSize, y);

    public override void WidenValues(short* values, float* scales, int count, int width, float* y) =>
        RoundedAttention<TWidth, TVector>.WidenValues(values, scales, count, width, y);

    public override void MatMulAdd(Matrix x, Matrix w, Matrix y, int from, int to) => SimdProducts<TWidth, TVector>.MatMulAdd(x, w, y, from, to);

    public override void MatMulBackward(Matrix dy, Matrix w, Matrix dx, int from, int to) =>
        SimdProducts<TWidth, TVector>.MatMulBackward(dy, w, dx, from, to);

    public override void LayerNormBackward(Matrix x, float* g, float epsilon, Matrix dy, Matrix normed, Matrix dx, int from, int to) =>
        SimdGradients<TWidth, TVector>.LayerNorm(x, g, epsilon, dy, normed, dx, from, to);

    public override void ActivateBackward(ActivationFunction function, float* x, float* dy, int count) =>
        function.ApplyBackward<TWidth, TVector>(x, dy, count);

    public override void SoftmaxBackward(float* p, float* dp, float scale, int count) => SimdGradients<TWidth, TVector>.Softmax(p, dp, scale, count);

    public override void MultiplyAdd(float* y, float* x, float* w, int count) => SimdGradients<TWidth, TVector>.MultiplyAdd(y, x, w, count);

    public override void Scale(float* x, float factor, int count) => SimdGradients<TWidth, TVector>.Scale(x, factor, count);

    public override float SumOfSquares(float* x, int count) => SimdSums<TWidth, TVector>.Dot(x, x, count);

    public override void AdamW(float* w, float* g, float* m, float* v, int count, in AdamWFactors factors) =>
        SimdGradients<TWidth, TVector>.AdamW(w, g, m, v, count, factors);

    private static void Tile(float* x, nint xStride, float* w, nint wStride, int n, float* init, float* y, nint yStride) =>
        BlockProducts<TWidth, TVector>.Tile(x, xStride, w, wStride, n, init, 0, y, yStride, w, 0);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WeightedSum(float* p, float* values, int count, int width, float* y)
    {
        int d = 0;
        for (; d + (4 * TWidth.Count) <= width; d += 4 * TWidth.Count) WeightedSum4(p, values + d, count, width, y + d);
        for (; d < width; d += TWidth.Count)
        {
            TVector sum = TWidth.Broadcast(0f);
            for (int j = 0; j < count; j++)
                sum = TWidth.FusedMultiplyAdd(TWidth.Broadcast(p[j]), TWidth.Load(values + ((nint)j * width) + d), sum);
            TWidth.Store(sum, y + d);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WeightedSum4(float* p, float* values, int count, int width, float* y)
    {
        TVector y0 = TWidth.Broadcast(0f), y1 = y0, y2 = y0, y3 = y0;
        for (int j = 0; j < count; j++, values += width)
        {
            StreamAhead.AskToSecondLevel(values, 4 * TWidth.Count * sizeof(float));
            TVector factor = TWidth.Broadcast(p[j]);
            y0 = TWidth.FusedMultiplyAdd(factor, TWidth.Load(values), y0);
            y1 = TWidth.FusedMultiplyAdd(factor, TWidth.Load(values + TWidth.Count), y1);
            y2 = TWidth.FusedMultiplyAdd(factor, TWidth.Load(values + (2 * TWidth.Count)), y2);
            y3 = TWidth.FusedMultiplyAdd(factor, TWidth.Load(values + (3 * TWidth.Count)), y3);
        }

        Store4(y0, y1, y2, y3, y);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ScoresOfTile(Matrix q, float* keys, Matrix scores)
    {
        float* zero = stackalloc float[PanelColumns];
        for (int j = 0; j < scores.Columns; j += TileColumns)
            Tile(q.Data, q.Stride, keys + KeyOffset(j, q.Columns), KeyBlock, q.Columns, zero, scores.Data + j, scores.Stride);
    }

    // Block after block, each for all rows while the caches hold it: two at a time, whose memory lies apart, take 1.4 times as long where it
    // comes from memory (measured at 900 positions).
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ScoresOfRows(Matrix q, float* keys, Matrix scores)
    {
        for (int j = 0; j < scores.Columns; j += ScoresTogether)
        {
            float* first = keys + KeyOffset(j, q.Columns);
            for (int t = 0; t < q.Rows; t++)
            {
                if (ScoresTogether == 4 * TWidth.Count) Scores4(q.RowPointer(t), first, q.Columns, scores.RowPointer(t) + j);
                else Scores2(q.RowPointer(t), first, q.Columns, scores.RowPointer(t) + j);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Scores2(float* q, float* keys, int headSize, float* scores)
    {
        TVector s0 = TWidth.Broadcast(0f), s1 = s0;
        for (int d = 0; d < headSize; d++, keys += KeyBlock)
        {
            StreamAhead.AskToSecondLevel(keys, KeyBlock * sizeof(float));
            TVector factor = TWidth.Broadcast(q[d]);
            s0 = TWidth.FusedMultiplyAdd(factor, TWidth.Load(keys), s0);
            s1 = TWidth.FusedMultiplyAdd(factor, TWidth.Load(keys + TWidth.Count), s1);
        }

        TWidth.Store(s0, scores);
        TWidth.Store(s1, scores + TWidth.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Scores4(float* q, float* keys, int headSize, float* scores)
    {
        TVector s0 = TWidth.Broadcast(0f), s1 = s0, s2 = s0, s3 = s0;
        for (int d = 0; d < headSize; d++, keys += KeyBlock)
        {
            StreamAhead.AskToSecondLevel(keys, KeyBlock * sizeof(float));
            TVector factor = TWidth.Broadcast(q[d]);
            s0 = TWidth.FusedMultiplyAdd(factor, TWidth.Load(keys), s0);
            s1 = TWidth.FusedMultiplyAdd(factor, TWidth.Load(keys + TWidth.Count), s1);
            s2 = TWidth.FusedMultiplyAdd(factor, TWidth.Load(keys + (2 * TWidth.Count)), s2);
            s3 = TWidth.FusedMultiplyAdd(factor, TWidth.Load(keys + (3 * TWidth.Count)), s3);
        }

        Store4(s0, s1, s2, s3, scores);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Store4(TVector v0, TVector v1, TVector v2, TVector v3, float* destination)
    {
        TWidth.Store(v0, destination);
        TWidth.Store(v1, destination + TWidth.Count);
        TWidth.Store(v2, destination + (2 * TWidth.Count));
        TWidth.Store(v3, destination + (3 * TWidth.Count));
    }

    /// <summary><c>y = x - value</c>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Subtract(float* x, float value, float* y, int count)
    {
        TVector v = TWidth.Broadcast(value);
        int i = 0;
        for (; i + TWidth.Count <= count; i += TWidth.Count) TWidth.Store(TWidth.Subtract(TWidth.Load(x + i), v), y + i);
        for (; i < count; i++) y[i] = x[i] - value;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ScaleShift(float* y, float scale, float* g, float* b, int count)
    {
        TVector s = TWidth.Broadcast(scale);
        int i = 0;
        for (; i + TWidth.Count <= count; i += TWidth.Count)
            TWidth.Store(TWidth.FusedMultiplyAdd(TWidth.Multiply(TWidth.Load(y + i), s), TWidth.Load(g + i), TWidth.Load(b + i)), y + i);
        for (; i < count; i++) y[i] = MathF.FusedMultiplyAdd(y[i] * scale, g[i], b[i]);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Scale(float* y, float scale, float* g, int count)
    {
        TVector s = TWidth.Broadcast(scale);
        int i = 0;
        for (; i + TWidth.Count <= count; i += TWidth.Count)
            TWidth.Store(TWidth.Multiply(TWidth.Multiply(TWidth.Load(y + i), s), TWidth.Load(g + i)), y + i);
        for (; i < count; i++) y[i] = y[i] * scale * g[i];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
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
}

namespace PicoGpt.Numerics;

/// <summary>The plain loops: the definition of every kernel's result, and what runs where there are no vectors.</summary>
internal sealed unsafe class PlainKernels : Kernels
{
    public override string Name => "plain";

    public override void MatMul(Matrix x, Matrix w, float* b, Matrix y, int from, int to)
    {
        for (int t = 0; t < x.Rows; t++)
        {
            for (int o = from; o < to; o++) y.RowPointer(t)[o] = b is null ? 0 : b[o];
            for (int i = 0; i < x.Columns; i++) MultiplyAdd(x.RowPointer(t)[i], w.RowPointer(i) + from, y.RowPointer(t) + from, to - from);
        }
    }

    public override void MatMulPacked(Matrix x, PackedMatrix w, float* b, Matrix y, int from, int to)
    {
        float[] column = new float[w.Rows];
        for (int o = from; o < to; o++)
        {
            w.CopyColumn(o, column);
            for (int t = 0; t < x.Rows; t++)
            {
                float sum = b is null ? 0 : b[o];
                for (int i = 0; i < w.Rows; i++) sum = MathF.FusedMultiplyAdd(x.RowPointer(t)[i], column[i], sum);
                y.RowPointer(t)[o] = sum;
            }
        }
    }

    public override void Quantize(Matrix x, QuantizedMatrix y, int from, int to)
    {
        for (int t = from; t < to; t++)
        {
            for (int group = 0; group < y.Groups; group++)
            {
                int first = group * y.GroupSize, count = Math.Min(y.GroupSize, x.Columns - first), at = (t * y.Groups) + group, sum = 0;
                float* values = x.RowPointer(t) + first;
                float inverse = Inverse(values, count, y.Format.Largest, out y.Scales[at]);
                for (int i = 0; i < y.GroupSize; i++) sum += y[t, first + i] = i < count ? (int)MathF.Round(values[i] * inverse) : 0;
                if (y.Format.IntegerSize == 1) y.Sums[at] = sum;
            }
        }
    }

    public override void MatMulQuantized(QuantizedMatrix x, PackedMatrix w, float* b, Matrix y, int from, int to)
    {
        var format = (QuantizedFormat)w.Format;
        for (int o = from; o < to; o++)
        {
            for (int t = 0; t < x.Rows; t++)
            {
                byte* block = w.PanelPointer(o / PackedMatrix.Side);
                int column = o % PackedMatrix.Side;
                float sum = b is null ? 0 : b[o];
                for (int group = 0; group < x.Groups; group++, block += format.BlockSize)
                {
                    int products = 0;
                    for (int i = 0; i < x.GroupSize; i++) products += x[t, (group * x.GroupSize) + i] * format.Level(block, i, column);
                    float scale = BFloat16Format.Widen(((ushort*)block)[column]) * x.Scales[((nint)t * x.Groups) + group];
                    sum = MathF.FusedMultiplyAdd(products, scale, sum);
                }

                y.RowPointer(t)[o] = sum;
            }
        }
    }

    public override void MatMulTransposed(Matrix x, Matrix w, Matrix y, int from, int to)
    {
        for (int t = 0; t < x.Rows; t++)
        {
            for (int o = from; o < to; o++) y.RowPointer(t)[o] = Dot(x.RowPointer(t), w.RowPointer(o), x.Columns);
        }
    }

    public override void LayerNorm(Matrix x, float* g, float* b, float epsilon, Matrix y, int from, int to)
    {
        int n = x.Columns;
        for (int t = from; t < to; t++)
        {
            float* row = x.RowPointer(t);
            float* result = y.RowPointer(t);
            float mean = Sum(row, n) / n;
            for (int i = 0; i < n; i++) result[i] = row[i] - mean;
            float variance = Dot(result, result, n) / n;
            float scale = 1f / MathF.Sqrt(variance + epsilon);
            for (int i = 0; i < n; i++) result[i] = b is null ? result[i] * scale * g[i] : MathF.FusedMultiplyAdd(result[i] * scale, g[i], b[i]);
        }
    }

    public override void Activate(ActivationFunction function, float* x, int count) => function.Apply(x, count);

    public override void Add(float* y, float* x, int count)
    {
        for (int i = 0; i < count; i++) y[i] += x[i];
    }

    public override void Scores(Matrix q, float* keys, float scale, Matrix scores)
    {
        for (int t = 0; t < q.Rows; t++)
        {
            float* row = scores.RowPointer(t);
            for (int j = 0; j < scores.Columns; j++) row[j] = 0;
            for (int j = 0; j < scores.Columns; j += KeyBlock)
            {
                float* block = keys + ((nint)j * q.Columns);
                for (int d = 0; d < q.Columns; d++) MultiplyAdd(q.RowPointer(t)[d], block + ((nint)d * KeyBlock), row + j, KeyBlock);
            }

            for (int j = 0; j < scores.Columns; j++) row[j] *= scale;
        }
    }

    public override void Scores(Matrix q, short* keys, float* scales, float scale, Matrix scores)
    {
        using var floats = new AlignedBuffer((long)q.Columns * scores.Columns); // [blocks, headSize, KeyBlock]
        for (int j = 0; j < scores.Columns; j += KeyBlock)
            WidenKeys(keys + ((nint)j * q.Columns), scales + j, q.Columns, floats.Data + ((nint)j * q.Columns));
        Scores(q, floats.Data, scale, scores);
    }

    public override void Softmax(float* x, int count)
    {
        float max = float.NegativeInfinity;
        for (int i = 0; i < count; i++) max = MathF.Max(max, x[i]);
        for (int i = 0; i < count; i++) x[i] = Exponential.Of(x[i] - max);
        int padded = (count + Lanes - 1) / Lanes * Lanes;
        for (int i = count; i < padded; i++) x[i] = 0;
        float scale = 1f / Sum(x, padded);
        for (int i = 0; i < padded; i++) x[i] *= scale;
    }

    public override void WeightedSum(Matrix p, float* values, int count, Matrix y)
    {
        int width = y.Columns;
        for (int t = 0; t < y.Rows; t++)
        {
            float* row = y.RowPointer(t);
            for (int d = 0; d < width; d++) row[d] = 0;
            for (int j = 0; j < count + t; j++) MultiplyAdd(p.RowPointer(t)[j], values + ((nint)j * width), row, width);
        }
    }

    public override void WeightedSum(Matrix p, short* values, float* scales, int count, Matrix y)
    {
        int positions = count + p.Rows - 1;
        using var floats = new AlignedBuffer((long)positions * y.Columns);
        WidenValues(values, scales, positions, y.Columns, floats.Data);
        WeightedSum(p, floats.Data, count, y);
    }

    public override float Round(float* x, short* y, int count)
    {
        float inverse = Inverse(x, count, short.MaxValue, out float scale);
        for (int i = 0; i < count; i++) y[i] = (short)MathF.Round(x[i] * inverse);
        return scale;
    }

    public override void WidenKeys(short* keys, float* scales, int headSize, float* y)
    {
        for (int i = 0; i < headSize * KeyBlock; i++) y[i] = keys[i] * scales[i % KeyBlock];
    }

    public override void WidenValues(short* values, float* scales, int count, int width, float* y)
    {
        for (nint i = 0; i < (nint)count * width; i++) y[i] = values[i] * scales[i / width];
    }

    public override void MatMulAdd(Matrix x, Matrix w, Matrix y, int from, int to)
    {
        for (int t = 0; t < x.Rows; t++)
        {
            for (int i = 0; i < x.Columns; i++) MultiplyAdd(x.RowPointer(t)[i], w.RowPointer(i) + from, y.RowPointer(t) + from, to - from);
        }
    }

    public override void MatMulBackward(Matrix dy, Matrix w, Matrix dx, int from, int to)
    {
        for (int t = 0; t < dy.Rows; t++)
        {
            for (int i = from; i < to; i++)
            {
                float sum = 0;
                for (int o = 0; o < dy.Columns; o++) sum = MathF.FusedMultiplyAdd(dy.RowPointer(t)[o], w.RowPointer(i)[o], sum);
                dx.RowPointer(t)[i] = sum;
            }
        }
    }

    public override void LayerNormBackward(Matrix x, float* g, float epsilon, Matrix dy, Matrix normed, Matrix dx, int from, int to)
    {
        int n = x.Columns;
        for (int t = from; t < to; t++)
        {
            float* row = x.RowPointer(t), result = normed.RowPointer(t), upper = dy.RowPointer(t), lower = dx.RowPointer(t);
            float mean = Sum(row, n) / n;
            for (int i = 0; i < n; i++) result[i] = row[i] - mean;
            float scale = 1f / MathF.Sqrt((Dot(result, result, n) / n) + epsilon);
            for (int i = 0; i < n; i++) result[i] *= scale;
            float share = Dot(upper, g, n) / n, slope = Dot(upper, g, result, n) / n;
            for (int i = 0; i < n; i++)
                lower[i] = MathF.FusedMultiplyAdd(MathF.FusedMultiplyAdd(result[i], -slope, (upper[i] * g[i]) - share), scale, lower[i]);
        }
    }

    public override void ActivateBackward(ActivationFunction function, float* x, float* dy, int count) => function.ApplyBackward(x, dy, count);

    public override void SoftmaxBackward(float* p, float* dp, float scale, int count)
    {
        float sum = Dot(p, dp, count);
        for (int i = 0; i < count; i++) dp[i] = p[i] * (dp[i] - sum) * scale;
    }

    public override void MultiplyAdd(float* y, float* x, float* w, int count)
    {
        for (int i = 0; i < count; i++) y[i] = MathF.FusedMultiplyAdd(x[i], w[i], y[i]);
    }

    public override void Scale(float* x, float factor, int count)
    {
        for (int i = 0; i < count; i++) x[i] *= factor;
    }

    public override float SumOfSquares(float* x, int count) => Dot(x, x, count);

    public override void AdamW(float* w, float* g, float* m, float* v, int count, in AdamWFactors factors)
    {
        for (int i = 0; i < count; i++) factors.Apply(ref w[i], g[i], ref m[i], ref v[i]);
    }

    private static void MultiplyAdd(float factor, float* x, float* y, int count)
    {
        for (int i = 0; i < count; i++) y[i] = MathF.FusedMultiplyAdd(factor, x[i], y[i]);
    }

    private static float Sum(float* x, int count)
    {
        float* lanes = stackalloc float[Lanes];
        for (int i = 0; i < count; i++) lanes[i % Lanes] += x[i];
        return Fold(lanes);
    }

    private static float Dot(float* x, float* y, int count)
    {
        float* lanes = stackalloc float[Lanes];
        for (int i = 0; i < count; i++) lanes[i % Lanes] = MathF.FusedMultiplyAdd(x[i], y[i], lanes[i % Lanes]);
        return Fold(lanes);
    }

    private static float Dot(float* x, float* y, float* z, int count)
    {
        float* lanes = stackalloc float[Lanes];
        for (int i = 0; i < count; i++) lanes[i % Lanes] = MathF.FusedMultiplyAdd(x[i] * y[i], z[i], lanes[i % Lanes]);
        return Fold(lanes);
    }

    private static float Inverse(float* x, int count, int greatest, out float scale)
    {
        float largest = 0;
        for (int i = 0; i < count; i++) largest = MathF.Max(largest, MathF.Abs(x[i]));
        bool isZero = largest < QuantizedMatrix.Least;
        scale = isZero ? 0 : largest / greatest;
        return isZero ? 0 : greatest / largest;
    }
}

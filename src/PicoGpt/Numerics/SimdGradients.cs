using System.Runtime.CompilerServices;

namespace PicoGpt.Numerics;

/// <summary>The loops of the backward pass and of the optimizer at one vector width.</summary>
internal static unsafe class SimdGradients<TWidth, TVector>
    where TWidth : struct, IWidth<TVector>
    where TVector : struct
{
    /// <inheritdoc cref="Kernels.LayerNormBackward"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void LayerNorm(Matrix x, float* g, float epsilon, Matrix dy, Matrix normed, Matrix dx, int from, int to)
    {
        int n = x.Columns;
        for (int t = from; t < to; t++)
        {
            float* row = x.RowPointer(t), result = normed.RowPointer(t), upper = dy.RowPointer(t);
            SimdKernels<TWidth, TVector>.Subtract(row, SimdSums<TWidth, TVector>.Sum(row, n) / n, result, n);
            float scale = 1f / MathF.Sqrt((SimdSums<TWidth, TVector>.Dot(result, result, n) / n) + epsilon);
            Scale(result, scale, n);
            float share = SimdSums<TWidth, TVector>.Dot(upper, g, n) / n, slope = Dot(upper, g, result, n) / n;
            Lower(result, upper, g, share, slope, scale, dx.RowPointer(t), n);
        }
    }

    /// <inheritdoc cref="Kernels.SoftmaxBackward"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Softmax(float* p, float* dp, float scale, int count)
    {
        float sum = SimdSums<TWidth, TVector>.Dot(p, dp, count);
        TVector s = TWidth.Broadcast(sum), factor = TWidth.Broadcast(scale);
        int i = 0;
        for (; i + TWidth.Count <= count; i += TWidth.Count)
            TWidth.Store(TWidth.Multiply(TWidth.Multiply(TWidth.Load(p + i), TWidth.Subtract(TWidth.Load(dp + i), s)), factor), dp + i);
        for (; i < count; i++) dp[i] = p[i] * (dp[i] - sum) * scale;
    }

    /// <inheritdoc cref="Kernels.MultiplyAdd"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MultiplyAdd(float* y, float* x, float* w, int count)
    {
        int i = 0;
        for (; i + TWidth.Count <= count; i += TWidth.Count)
            TWidth.Store(TWidth.FusedMultiplyAdd(TWidth.Load(x + i), TWidth.Load(w + i), TWidth.Load(y + i)), y + i);
        for (; i < count; i++) y[i] = MathF.FusedMultiplyAdd(x[i], w[i], y[i]);
    }

    /// <inheritdoc cref="Kernels.Scale"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Scale(float* x, float factor, int count)
    {
        TVector f = TWidth.Broadcast(factor);
        int i = 0;
        for (; i + TWidth.Count <= count; i += TWidth.Count) TWidth.Store(TWidth.Multiply(TWidth.Load(x + i), f), x + i);
        for (; i < count; i++) x[i] *= factor;
    }

    /// <inheritdoc cref="Kernels.AdamW"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AdamW(float* w, float* g, float* m, float* v, int count, in AdamWFactors factors)
    {
        TVector gradient = TWidth.Broadcast(factors.Gradient), epsilon = TWidth.Broadcast(factors.Epsilon), keep = TWidth.Broadcast(factors.Keep);
        TVector beta1 = TWidth.Broadcast(factors.Beta1), rest1 = TWidth.Broadcast(1f - factors.Beta1);
        TVector beta2 = TWidth.Broadcast(factors.Beta2), rest2 = TWidth.Broadcast(1f - factors.Beta2);
        TVector rate = TWidth.Broadcast(-factors.Rate), correction = TWidth.Broadcast(factors.Correction);
        int i = 0;
        for (; i + TWidth.Count <= count; i += TWidth.Count)
        {
            TVector d = TWidth.Multiply(TWidth.Load(g + i), gradient);
            TVector first = TWidth.FusedMultiplyAdd(beta1, TWidth.Load(m + i), TWidth.Multiply(rest1, d));
            TVector second = TWidth.FusedMultiplyAdd(beta2, TWidth.Load(v + i), TWidth.Multiply(TWidth.Multiply(rest2, d), d));
            TVector root = TWidth.FusedMultiplyAdd(TWidth.SquareRoot(second), correction, epsilon);
            TWidth.Store(first, m + i);
            TWidth.Store(second, v + i);
            TWidth.Store(TWidth.FusedMultiplyAdd(rate, TWidth.Divide(first, root), TWidth.Multiply(TWidth.Load(w + i), keep)), w + i);
        }

        for (; i < count; i++) factors.Apply(ref w[i], g[i], ref m[i], ref v[i]);
    }

    // Σ x·y·z by sixteen partial sums
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Dot(float* x, float* y, float* z, int count)
    {
        float* lanes = stackalloc float[Kernels.Lanes];
        int whole = count / Kernels.Lanes * Kernels.Lanes;
        for (int lane = 0; lane < Kernels.Lanes; lane += TWidth.Count)
        {
            TVector sum = TWidth.Broadcast(0f);
            for (int i = lane; i < whole; i += Kernels.Lanes)
                sum = TWidth.FusedMultiplyAdd(TWidth.Multiply(TWidth.Load(x + i), TWidth.Load(y + i)), TWidth.Load(z + i), sum);
            TWidth.Store(sum, lanes + lane);
        }

        for (int i = whole; i < count; i++) lanes[i % Kernels.Lanes] = MathF.FusedMultiplyAdd(x[i] * y[i], z[i], lanes[i % Kernels.Lanes]);
        return Kernels.Fold(lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Lower(float* normed, float* dy, float* g, float share, float slope, float scale, float* dx, int count)
    {
        TVector shares = TWidth.Broadcast(share), slopes = TWidth.Broadcast(-slope), scales = TWidth.Broadcast(scale);
        int i = 0;
        for (; i + TWidth.Count <= count; i += TWidth.Count)
        {
            TVector gained = TWidth.Subtract(TWidth.Multiply(TWidth.Load(dy + i), TWidth.Load(g + i)), shares);
            TVector lower = TWidth.FusedMultiplyAdd(TWidth.Load(normed + i), slopes, gained);
            TWidth.Store(TWidth.FusedMultiplyAdd(lower, scales, TWidth.Load(dx + i)), dx + i);
        }

        for (; i < count; i++)
            dx[i] = MathF.FusedMultiplyAdd(MathF.FusedMultiplyAdd(normed[i], -slope, (dy[i] * g[i]) - share), scale, dx[i]);
    }
}

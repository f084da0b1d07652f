using System.Runtime.CompilerServices;

namespace PicoGpt.Numerics;

/// <summary>
/// Attention over keys and values that are integers of 16 bits with a scale for every position, at one vector width. Each integer is
/// multiplied by its scale before anything else, so that what is widened beforehand gives the same bits.
/// </summary>
internal static unsafe class RoundedAttention<TWidth, TVector>
    where TWidth : struct, IWidth<TVector>
    where TVector : struct
{
    private static int Together => SimdKernels<TWidth, TVector>.ScoresTogether;

    /// <summary><c>scores[t, j] = q[t] · k[j]</c>; see <see cref="Kernels.Scores(Matrix, short*, float*, float, Matrix)"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dots(Matrix q, short* keys, float* scales, Matrix scores)
    {
        for (int j = 0; j < scores.Columns; j += Together)
        {
            short* first = keys + Kernels.KeyOffset(j, q.Columns);
            for (int t = 0; t < q.Rows; t++)
            {
                if (Together == 4 * TWidth.Count) Dots4(q.RowPointer(t), first, scales + j, q.Columns, scores.RowPointer(t) + j);
                else Dots2(q.RowPointer(t), first, scales + j, q.Columns, scores.RowPointer(t) + j);
            }
        }
    }

    /// <inheritdoc cref="Kernels.WeightedSum(Matrix, short*, float*, int, Matrix)"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void WeightedSum(Matrix p, short* values, float* scales, int count, Matrix y)
    {
        int width = y.Columns;
        for (int t = 0; t < p.Rows; t++)
        {
            int d = 0;
            for (; d + (4 * TWidth.Count) <= width; d += 4 * TWidth.Count)
                Sum4(p.RowPointer(t), values + d, scales, count + t, width, y.RowPointer(t) + d);
            for (; d < width; d += TWidth.Count)
            {
                TVector sum = TWidth.Broadcast(0f);
                for (int j = 0; j < count + t; j++)
                    sum = TWidth.FusedMultiplyAdd(TWidth.Broadcast(p.RowPointer(t)[j]), Load(values + ((nint)j * width) + d, TWidth.Broadcast(scales[j])), sum);
                TWidth.Store(sum, y.RowPointer(t) + d);
            }
        }
    }

    /// <inheritdoc cref="Kernels.WidenKeys"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void WidenKeys(short* keys, float* scales, int headSize, float* y)
    {
        for (int i = 0; i < Kernels.KeyBlock; i += TWidth.Count)
        {
            TVector scale = TWidth.Load(scales + i);
            for (int d = 0; d < headSize; d++) TWidth.Store(Load(keys + (d * Kernels.KeyBlock) + i, scale), y + (d * Kernels.KeyBlock) + i);
        }
    }

    /// <inheritdoc cref="Kernels.WidenValues"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void WidenValues(short* values, float* scales, int count, int width, float* y)
    {
        for (int j = 0; j < count; j++, values += width, y += width)
        {
            TVector scale = TWidth.Broadcast(scales[j]);
            for (int d = 0; d < width; d += TWidth.Count) TWidth.Store(Load(values + d, scale), y + d);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Dots2(float* q, short* keys, float* scales, int headSize, float* scores)
    {
        TVector k0 = TWidth.Load(scales), k1 = TWidth.Load(scales + TWidth.Count);
        TVector s0 = TWidth.Broadcast(0f), s1 = s0;
        for (int d = 0; d < headSize; d++, keys += Kernels.KeyBlock)
        {
            StreamAhead.AskToSecondLevel(keys, Kernels.KeyBlock * sizeof(short));
            TVector factor = TWidth.Broadcast(q[d]);
            s0 = TWidth.FusedMultiplyAdd(factor, Load(keys, k0), s0);
            s1 = TWidth.FusedMultiplyAdd(factor, Load(keys + TWidth.Count, k1), s1);
        }

        TWidth.Store(s0, scores);
        TWidth.Store(s1, scores + TWidth.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Dots4(float* q, short* keys, float* scales, int headSize, float* scores)
    {
        TVector k0 = TWidth.Load(scales), k1 = TWidth.Load(scales + TWidth.Count);
        TVector k2 = TWidth.Load(scales + (2 * TWidth.Count)), k3 = TWidth.Load(scales + (3 * TWidth.Count));
        TVector s0 = TWidth.Broadcast(0f), s1 = s0, s2 = s0, s3 = s0;
        for (int d = 0; d < headSize; d++, keys += Kernels.KeyBlock)
        {
            StreamAhead.AskToSecondLevel(keys, Kernels.KeyBlock * sizeof(short));
            TVector factor = TWidth.Broadcast(q[d]);
            s0 = TWidth.FusedMultiplyAdd(factor, Load(keys, k0), s0);
            s1 = TWidth.FusedMultiplyAdd(factor, Load(keys + TWidth.Count, k1), s1);
            s2 = TWidth.FusedMultiplyAdd(factor, Load(keys + (2 * TWidth.Count), k2), s2);
            s3 = TWidth.FusedMultiplyAdd(factor, Load(keys + (3 * TWidth.Count), k3), s3);
        }

        SimdKernels<TWidth, TVector>.Store4(s0, s1, s2, s3, scores);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sum4(float* p, short* values, float* scales, int count, int width, float* y)
    {
        TVector y0 = TWidth.Broadcast(0f), y1 = y0, y2 = y0, y3 = y0;
        for (int j = 0; j < count; j++, values += width)
        {
            StreamAhead.AskToSecondLevel(values, 4 * TWidth.Count * sizeof(short));
            TVector factor = TWidth.Broadcast(p[j]), scale = TWidth.Broadcast(scales[j]);
            y0 = TWidth.FusedMultiplyAdd(factor, Load(values, scale), y0);
            y1 = TWidth.FusedMultiplyAdd(factor, Load(values + TWidth.Count, scale), y1);
            y2 = TWidth.FusedMultiplyAdd(factor, Load(values + (2 * TWidth.Count), scale), y2);
            y3 = TWidth.FusedMultiplyAdd(factor, Load(values + (3 * TWidth.Count), scale), y3);
        }

        SimdKernels<TWidth, TVector>.Store4(y0, y1, y2, y3, y);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Load(short* source, TVector scale) => TWidth.Multiply(TWidth.LoadShorts(source), scale);
}

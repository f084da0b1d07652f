using System.Runtime.CompilerServices;

namespace PicoGpt.Numerics;

/// <summary>Rounds rows to integers of 16 bits, at one vector width.</summary>
internal static unsafe class Quantization<TWidth, TVector>
    where TWidth : struct, IWidth<TVector>
    where TVector : struct
{
    private const int LargestGroup = 96;

    /// <inheritdoc cref="Kernels.Quantize"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Quantize(Matrix x, QuantizedMatrix y, int from, int to)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(y.GroupSize, LargestGroup);
        float* padded = stackalloc float[LargestGroup];
        for (int t = from; t < to; t++)
        {
            float* values = x.RowPointer(t), scales = y.Scales + ((nint)t * y.Groups);
            short* integers = y.Data + ((nint)t * y.Stride);
            for (int left = x.Columns; left > 0; left -= y.GroupSize, values += y.GroupSize, integers += y.GroupSize)
            {
                if (left < y.GroupSize)
                {
                    new Span<float>(padded, y.GroupSize).Clear();
                    new ReadOnlySpan<float>(values, left).CopyTo(new Span<float>(padded, left));
                    values = padded;
                }

                *scales++ = QuantizeGroup(values, integers, y.GroupSize);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float QuantizeGroup(float* x, short* y, int count) // the scale
    {
        float* lanes = stackalloc float[Kernels.Lanes];
        TVector zero = TWidth.Broadcast(0f), most = zero;
        for (int i = 0; i < count; i += TWidth.Count)
        {
            TVector value = TWidth.Load(x + i);
            most = TWidth.Max(most, TWidth.Max(value, TWidth.Subtract(zero, value)));
        }

        TWidth.Store(most, lanes);
        float largest = 0;
        for (int i = 0; i < TWidth.Count; i++) largest = MathF.Max(largest, lanes[i]);
        bool isZero = largest < QuantizedMatrix.Least;
        TVector inverse = TWidth.Broadcast(isZero ? 0 : QuantizedMatrix.Largest / largest);
        for (int i = 0; i < count; i += 2 * TWidth.Count)
            TWidth.StoreRounded(TWidth.Multiply(TWidth.Load(x + i), inverse), TWidth.Multiply(TWidth.Load(x + i + TWidth.Count), inverse), y + i);
        return isZero ? 0 : largest / QuantizedMatrix.Largest;
    }
}

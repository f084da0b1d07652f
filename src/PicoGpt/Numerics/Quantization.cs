using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

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

    /// <inheritdoc cref="Kernels.Round"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Round(float* x, short* y, int count)
    {
        int whole = (count + Kernels.RoundedTogether - 1) / Kernels.RoundedTogether * Kernels.RoundedTogether;
        if (whole == count) return QuantizeGroup(x, y, count);
        float* padded = stackalloc float[whole];
        new Span<float>(padded + count, whole - count).Clear();
        new ReadOnlySpan<float>(x, count).CopyTo(new Span<float>(padded, count));
        return QuantizeGroup(padded, y, whole);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float QuantizeGroup(float* x, short* y, int count) // the scale
    {
        float* lanes = stackalloc float[Kernels.Lanes]; // zero
        TVector most = TWidth.Broadcast(0f);
        for (int i = 0; i < count; i += TWidth.Count) most = TWidth.MaxMagnitude(most, TWidth.Load(x + i));
        TWidth.Store(most, lanes);
        float largest = Largest((int*)lanes);
        bool isZero = largest < QuantizedMatrix.Least;
        TVector inverse = TWidth.Broadcast(isZero ? 0 : QuantizedMatrix.Largest / largest);
        for (int i = 0; i < count; i += 2 * TWidth.Count)
            TWidth.StoreRounded(TWidth.Multiply(TWidth.Load(x + i), inverse), TWidth.Multiply(TWidth.Load(x + i + TWidth.Count), inverse), y + i);
        return isZero ? 0 : largest / QuantizedMatrix.Largest;
    }

    // of bits without a sign, as MaxMagnitude compares them
    private static float Largest(int* lanes)
    {
        Vector128<int> four = Vector128.Max(
            Vector128.Max(Vector128.Load(lanes), Vector128.Load(lanes + 4)), Vector128.Max(Vector128.Load(lanes + 8), Vector128.Load(lanes + 12)));
        Vector128<int> two = Vector128.Max(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        return BitConverter.Int32BitsToSingle(Vector128.Max(two, Vector128.Shuffle(two, Vector128.Create(1, 0, 3, 2))).ToScalar());
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace PicoGpt.Numerics;

/// <summary>Rounds rows to integers of 8 or 16 bits, at one vector width.</summary>
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
            float* values = x.RowPointer(t);
            byte* integers = y.Data + ((nint)t * y.Stride);
            int left = x.Columns, size = y.GroupSize;
            for (int group = t * y.Groups; left > 0; group++, left -= size, values += size, integers += size * y.Format.IntegerSize)
            {
                if (left < size)
                {
                    new Span<float>(padded, size).Clear();
                    new ReadOnlySpan<float>(values, left).CopyTo(new Span<float>(padded, left));
                    values = padded;
                }

                TVector inverse = Inverse(values, size, y.Format.Largest, out y.Scales[group]);
                if (y.Format.IntegerSize == 1) y.Sums[group] = StoreSBytes(values, inverse, (sbyte*)integers, size);
                else StoreShorts(values, inverse, (short*)integers, size);
            }
        }
    }

    /// <inheritdoc cref="Kernels.Round"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Round(float* x, short* y, int count)
    {
        int whole = (count + Kernels.RoundedTogether - 1) / Kernels.RoundedTogether * Kernels.RoundedTogether;
        float* padded = stackalloc float[whole == count ? 0 : whole];
        if (whole != count)
        {
            new Span<float>(padded + count, whole - count).Clear();
            new ReadOnlySpan<float>(x, count).CopyTo(new Span<float>(padded, count));
            x = padded;
        }

        StoreShorts(x, Inverse(x, whole, short.MaxValue, out float scale), y, whole);
        return scale;
    }

    // what makes the greatest magnitude the greatest integer
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static TVector Inverse(float* x, int count, int greatest, out float scale)
    {
        float* lanes = stackalloc float[Kernels.Lanes]; // zero
        TVector most = TWidth.Broadcast(0f);
        for (int i = 0; i < count; i += TWidth.Count) most = TWidth.MaxMagnitude(most, TWidth.Load(x + i));
        TWidth.Store(most, lanes);
        float largest = Largest((int*)lanes);
        bool isZero = largest < QuantizedMatrix.Least;
        scale = isZero ? 0 : largest / greatest;
        return TWidth.Broadcast(isZero ? 0 : greatest / largest);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void StoreShorts(float* x, TVector inverse, short* y, int count)
    {
        for (int i = 0; i < count; i += 2 * TWidth.Count)
            TWidth.StoreRounded(TWidth.Multiply(TWidth.Load(x + i), inverse), TWidth.Multiply(TWidth.Load(x + i + TWidth.Count), inverse), y + i);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int StoreSBytes(float* x, TVector inverse, sbyte* y, int count) // their sum, which floats hold exactly
    {
        float* lanes = stackalloc float[Kernels.Lanes]; // zero
        TVector sum = TWidth.Broadcast(0f);
        for (int i = 0; i < count; i += TWidth.Count)
        {
            TVector integers = TWidth.Round(TWidth.Multiply(TWidth.Load(x + i), inverse));
            TWidth.StoreSBytes(integers, y + i);
            sum = TWidth.Add(sum, integers);
        }

        TWidth.Store(sum, lanes);
        return (int)Kernels.Fold(lanes);
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

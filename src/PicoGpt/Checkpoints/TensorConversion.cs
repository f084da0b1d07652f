using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PicoGpt.Checkpoints;

/// <summary>Little-endian bytes of any alignment to arrays of numbers.</summary>
internal static class TensorConversion
{
    /// <summary>The element type that is read as <typeparamref name="T"/>.</summary>
    /// <exception cref="ArgumentException">No element type is read as <typeparamref name="T"/>.</exception>
    public static TensorDType DTypeOf<T>() => default(T) switch
    {
        float => TensorDType.Float32,
        double => TensorDType.Float64,
        Half => TensorDType.Float16,
        sbyte => TensorDType.Int8,
        short => TensorDType.Int16,
        int => TensorDType.Int32,
        long => TensorDType.Int64,
        byte => TensorDType.UInt8,
        ushort => TensorDType.UInt16,
        uint => TensorDType.UInt32,
        ulong => TensorDType.UInt64,
        bool => TensorDType.Bool,
        _ => throw new ArgumentException($"no tensor has elements of the type {typeof(T)}", nameof(T)),
    };

    /// <summary>Copies the bytes into an array of a type that <see cref="DTypeOf"/> knows.</summary>
    public static T[] ToArray<T>(ReadOnlySpan<byte> bytes)
        where T : unmanaged
    {
        T[] array = new T[bytes.Length / Unsafe.SizeOf<T>()];
        Span<byte> target = MemoryMarshal.AsBytes(array.AsSpan());
        bytes.CopyTo(target);
        if (typeof(T) == typeof(bool))
        {
            // A bool that is neither 0 nor 1 would compare unequal to true.
            foreach (ref byte value in target)
                value = value == 0 ? (byte)0 : (byte)1;
        }

        return array;
    }

    /// <summary>The elements as float32; float64 is rounded to the nearest.</summary>
    public static float[] ToFloats(TensorDType dtype, ReadOnlySpan<byte> bytes)
    {
        switch (dtype)
        {
            case TensorDType.Float32:
                return ToArray<float>(bytes);
            case TensorDType.Float16:
                ReadOnlySpan<Half> halves = Aligned<Half>(bytes);
                float[] fromHalves = new float[halves.Length];
                TensorPrimitives.ConvertToSingle(halves, fromHalves);
                return fromHalves;
            case TensorDType.BFloat16:
                ReadOnlySpan<ushort> upperHalves = Aligned<ushort>(bytes);
                float[] fromUpperHalves = new float[upperHalves.Length];
                for (int i = 0; i < upperHalves.Length; i++)
                    fromUpperHalves[i] = BitConverter.UInt32BitsToSingle((uint)upperHalves[i] << 16);
                return fromUpperHalves;
            case TensorDType.Float64:
                ReadOnlySpan<double> doubles = Aligned<double>(bytes);
                float[] fromDoubles = new float[doubles.Length];
                for (int i = 0; i < doubles.Length; i++)
                    fromDoubles[i] = (float)doubles[i];
                return fromDoubles;
            default:
                throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "not a floating-point type");
        }
    }

    /// <summary>
    /// Float32 rounded to the nearest number of another floating-point type, ties to even; what is too large for half precision becomes its
    /// largest finite number.
    /// </summary>
    public static byte[] FromFloats(TensorDType dtype, ReadOnlySpan<float> values)
    {
        byte[] bytes = new byte[values.Length * dtype.ElementSize()!.Value];
        switch (dtype)
        {
            case TensorDType.Float16:
                Span<Half> halves = MemoryMarshal.Cast<byte, Half>(bytes.AsSpan());
                for (int i = 0; i < values.Length; i++) halves[i] = (Half)Math.Clamp(values[i], (float)Half.MinValue, (float)Half.MaxValue);
                return bytes;
            case TensorDType.BFloat16:
                Span<ushort> upperHalves = MemoryMarshal.Cast<byte, ushort>(bytes.AsSpan());
                for (int i = 0; i < values.Length; i++) upperHalves[i] = UpperHalf(BitConverter.SingleToUInt32Bits(values[i]));
                return bytes;
            default:
                throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "not a type to which is rounded");
        }
    }

    // NaN stays NaN: rounding its lower half could turn it into an infinity.
    private static ushort UpperHalf(uint bits) =>
        (ushort)((bits & 0x7FFFFFFF) > 0x7F800000 ? (bits >> 16) | 0x40 : (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);

    /// <summary>The elements in place where the address allows it, else a copy: some processors fault on odd addresses.</summary>
    private static unsafe ReadOnlySpan<T> Aligned<T>(ReadOnlySpan<byte> bytes)
        where T : unmanaged
    {
        fixed (byte* start = bytes)
        {
            return (nuint)start % (nuint)sizeof(T) == 0 ? MemoryMarshal.Cast<byte, T>(bytes) : ToArray<T>(bytes);
        }
    }
}

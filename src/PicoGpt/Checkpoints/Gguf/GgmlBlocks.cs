using System.Buffers.Binary;

namespace PicoGpt.Checkpoints.Gguf;

/// <summary>
/// The blocks of 32 elements that ggml's quantized types consist of (ggml-common.h, and the functions dequantize_row_… of ggml-quants.c).
/// </summary>
/// <remarks>
/// Where an element has four bits, the lower halves of the 16 bytes are the first 16 elements, the upper halves the others. In the comments
/// d is the scale and m the least value.
/// </remarks>
internal static class GgmlBlocks
{
    /// <summary>The elements of a block.</summary>
    public const int Length = 32;

    /// <summary>The bytes of a block of Q8_0.</summary>
    public const int SizeOfQ8_0 = sizeof(ushort) + Length;

    private const int Half = Length / 2;

    /// <summary>The values that four bits choose from in the types IQ4_NL and IQ4_XS.</summary>
    public static ReadOnlySpan<sbyte> NonLinear => [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

    // d, 16 bytes
    public static void DecodeQ4_0(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = Scale(block);
        ReadOnlySpan<byte> quants = block[2..];
        for (int i = 0; i < Half; i++)
        {
            values[i] = ((quants[i] & 15) - 8) * d;
            values[i + Half] = ((quants[i] >> 4) - 8) * d;
        }
    }

    // d, m, 16 bytes
    public static void DecodeQ4_1(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = Scale(block), m = Scale(block[2..]);
        ReadOnlySpan<byte> quants = block[4..];
        for (int i = 0; i < Half; i++)
        {
            values[i] = ((quants[i] & 15) * d) + m;
            values[i + Half] = ((quants[i] >> 4) * d) + m;
        }
    }

    // d, the fifth bits of all elements, 16 bytes with the other four
    public static void DecodeQ5_0(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = Scale(block);
        uint fifth = BinaryPrimitives.ReadUInt32LittleEndian(block[2..]);
        ReadOnlySpan<byte> quants = block[6..];
        for (int i = 0; i < Half; i++)
        {
            values[i] = (((quants[i] & 15) | FifthBit(fifth, i)) - 16) * d;
            values[i + Half] = (((quants[i] >> 4) | FifthBit(fifth, i + Half)) - 16) * d;
        }
    }

    // d, m, the fifth bits of all elements, 16 bytes with the other four
    public static void DecodeQ5_1(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = Scale(block), m = Scale(block[2..]);
        uint fifth = BinaryPrimitives.ReadUInt32LittleEndian(block[4..]);
        ReadOnlySpan<byte> quants = block[8..];
        for (int i = 0; i < Half; i++)
        {
            values[i] = (((quants[i] & 15) | FifthBit(fifth, i)) * d) + m;
            values[i + Half] = (((quants[i] >> 4) | FifthBit(fifth, i + Half)) * d) + m;
        }
    }

    // d, 32 bytes
    public static void DecodeQ8_0(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = Scale(block);
        ReadOnlySpan<byte> quants = block[2..];
        for (int i = 0; i < Length; i++) values[i] = (sbyte)quants[i] * d;
    }

    /// <summary>Rounds 32 values to a block of Q8_0, as ggml's own quantization does: the largest becomes 127 or -127.</summary>
    public static void EncodeQ8_0(ReadOnlySpan<float> values, Span<byte> block)
    {
        float largest = 0;
        foreach (float value in values) largest = MathF.Max(largest, MathF.Abs(value));
        float d = largest / 127, inverse = d == 0 ? 0 : 1 / d;
        BinaryPrimitives.WriteHalfLittleEndian(block, (System.Half)d);
        for (int i = 0; i < Length; i++) block[2 + i] = (byte)(sbyte)MathF.Round(values[i] * inverse, MidpointRounding.AwayFromZero);
    }

    // d, 16 bytes
    public static void DecodeIQ4_NL(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = Scale(block);
        ReadOnlySpan<byte> quants = block[2..];
        for (int i = 0; i < Half; i++)
        {
            values[i] = NonLinear[quants[i] & 15] * d;
            values[i + Half] = NonLinear[quants[i] >> 4] * d;
        }
    }

    /// <summary>The half-precision number with which bytes begin.</summary>
    public static float Scale(ReadOnlySpan<byte> bytes) => (float)BinaryPrimitives.ReadHalfLittleEndian(bytes);

    private static int FifthBit(uint bits, int element) => (int)((bits >> element) & 1) << 4;
}

using System.Buffers.Binary;

namespace PicoGpt.Checkpoints.Gguf;

/// <summary>
/// The blocks of 256 elements that ggml's "k-quants" consist of (ggml-common.h, and the functions dequantize_row_… of ggml-quants.c): groups of
/// 16 or 32 elements have small scales of their own, which the block's scale d, and in some types its dmin, makes large.
/// </summary>
internal static class GgmlSuperBlocks
{
    /// <summary>The elements of a block.</summary>
    public const int Length = 256;

    private const int SmallGroup = 16, Group = 32;

    // 16 bytes of scales (4 bits) and minima (4 bits), 64 bytes of quants (2 bits), d, dmin
    public static void DecodeQ2_K(ReadOnlySpan<byte> block, Span<float> values)
    {
        ReadOnlySpan<byte> scales = block[..16], quants = block[16..80];
        float d = GgmlBlocks.Scale(block[80..]), dmin = GgmlBlocks.Scale(block[82..]);
        for (int i = 0; i < Length; i++)
        {
            byte scale = scales[i / SmallGroup];
            values[i] = (d * (scale & 15) * TwoBits(quants, i)) - (dmin * (scale >> 4));
        }
    }

    // 32 bytes of third bits, 64 bytes of the lower two, 12 bytes of scales (6 bits), d
    public static void DecodeQ3_K(ReadOnlySpan<byte> block, Span<float> values)
    {
        ReadOnlySpan<byte> third = block[..32], quants = block[32..96], scales = block[96..108];
        float d = GgmlBlocks.Scale(block[108..]);
        for (int i = 0; i < Length; i++)
        {
            int group = i / SmallGroup;
            int low = group < 8 ? scales[group] & 15 : scales[group - 8] >> 4;
            int high = (scales[8 + (group % 4)] >> (2 * (group / 4))) & 3;
            int bit = (third[i % Group] >> (i / Group)) & 1;
            values[i] = d * ((low | (high << 4)) - 32) * (TwoBits(quants, i) - (bit == 0 ? 4 : 0));
        }
    }

    // d, dmin, 12 bytes of scales and minima (6 bits), 128 bytes of quants (4 bits)
    public static void DecodeQ4_K(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = GgmlBlocks.Scale(block), dmin = GgmlBlocks.Scale(block[2..]);
        ReadOnlySpan<byte> scales = block[4..16], quants = block[16..144];
        for (int group = 0; group < Length / Group; group++)
        {
            (int scale, int minimum) = ScaleAndMinimum(scales, group);
            float step = d * scale, least = dmin * minimum;
            for (int i = group * Group; i < (group + 1) * Group; i++) values[i] = (step * FourBits(quants, i)) - least;
        }
    }

    // d, dmin, 12 bytes of scales and minima (6 bits), 32 bytes of fifth bits, 128 bytes with the lower four
    public static void DecodeQ5_K(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = GgmlBlocks.Scale(block), dmin = GgmlBlocks.Scale(block[2..]);
        ReadOnlySpan<byte> scales = block[4..16], fifth = block[16..48], quants = block[48..176];
        for (int group = 0; group < Length / Group; group++)
        {
            (int scale, int minimum) = ScaleAndMinimum(scales, group);
            float step = d * scale, least = dmin * minimum;
            for (int i = group * Group; i < (group + 1) * Group; i++)
            {
                int bit = (fifth[i % Group] >> group) & 1;
                values[i] = (step * (FourBits(quants, i) | (bit << 4))) - least;
            }
        }
    }

    // 128 bytes with the lower four bits, 64 with the upper two, 16 scales (8 bits), d
    public static void DecodeQ6_K(ReadOnlySpan<byte> block, Span<float> values)
    {
        ReadOnlySpan<byte> low = block[..128], high = block[128..192], scales = block[192..208];
        float d = GgmlBlocks.Scale(block[208..]);
        for (int i = 0; i < Length; i++)
        {
            // of each 64 bytes, the lower halves are 64 elements, the upper halves the next 64
            int four = (low[(i / 128 * 64) + (i % 64)] >> (i % 128 / 64 * 4)) & 15;
            values[i] = d * (sbyte)scales[i / SmallGroup] * ((four | (TwoBits(high, i) << 4)) - 32);
        }
    }

    // d in single precision, 256 bytes; the sums of groups behind them serve products alone
    public static void DecodeQ8_K(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = BinaryPrimitives.ReadSingleLittleEndian(block);
        for (int i = 0; i < Length; i++) values[i] = d * (sbyte)block[4 + i];
    }

    // d, the upper two bits of eight scales, 4 bytes with the lower four, 128 bytes as in IQ4_NL
    public static void DecodeIQ4_XS(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = GgmlBlocks.Scale(block);
        int high = BinaryPrimitives.ReadUInt16LittleEndian(block[2..]);
        ReadOnlySpan<byte> low = block[4..8], quants = block[8..136];
        for (int group = 0; group < Length / Group; group++)
        {
            int scale = ((low[group / 2] >> (group % 2 * 4)) & 15) | (((high >> (2 * group)) & 3) << 4);
            float step = d * (scale - 32);
            ReadOnlySpan<byte> bytes = quants.Slice(group * Group / 2, Group / 2);
            for (int i = 0; i < Group / 2; i++)
            {
                values[(group * Group) + i] = step * GgmlBlocks.NonLinear[bytes[i] & 15];
                values[(group * Group) + (Group / 2) + i] = step * GgmlBlocks.NonLinear[bytes[i] >> 4];
            }
        }
    }

    // The first four scales and minima have six bits of a byte each, the others four bits of a byte and two that those leave over.
    private static (int Scale, int Minimum) ScaleAndMinimum(ReadOnlySpan<byte> scales, int group) => group < 4
        ? (scales[group] & 63, scales[group + 4] & 63)
        : ((scales[group + 4] & 15) | (scales[group - 4] >> 6 << 4), (scales[group + 4] >> 4) | (scales[group] >> 6 << 4));

    // Of each 32 bytes, the lowest two bits are 32 elements, the next two the next 32, and so on.
    private static int TwoBits(ReadOnlySpan<byte> quants, int i) => (quants[(i / 128 * Group) + (i % Group)] >> (i % 128 / Group * 2)) & 3;

    // Of each 32 bytes, the lower halves are 32 elements, the upper halves the next 32.
    private static int FourBits(ReadOnlySpan<byte> quants, int i) => (quants[(i / 64 * Group) + (i % Group)] >> (i % 64 / Group * 4)) & 15;
}

using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace PicoGpt.Files;

/// <summary>
/// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78; RFC 3720, appendix B.4), the checksum of TensorFlow's checkpoints,
/// and the masked form in which LevelDB's table format stores it.
/// </summary>
public static class Crc32C
{
    private const uint Polynomial = 0x82F63B78;
    private const uint MaskDelta = 0xa282ead8;

    // Three streams cover the latency of the processor's CRC instruction; a stream is long enough to make joining them cheap.
    private const int StreamLength = 16 * 1024;

    private static readonly uint OneStream = PowerOfX(8L * StreamLength);
    private static readonly uint TwoStreams = PowerOfX(16L * StreamLength);
    private static readonly uint[][] Tables = CreateTables();

    /// <summary>Whether the processor has an instruction for this checksum.</summary>
    public static bool IsHardwareAccelerated =>
        Sse42.X64.IsSupported || System.Runtime.Intrinsics.Arm.Crc32.Arm64.IsSupported;

    /// <summary>The CRC32C of some bytes.</summary>
    public static uint Compute(ReadOnlySpan<byte> data) => Append(0, data);

    /// <summary>The CRC32C of bytes whose first part has the given CRC32C.</summary>
    /// <param name="crc">The CRC32C of what came before; 0 at the start.</param>
    /// <param name="data">What comes next.</param>
    public static uint Append(uint crc, ReadOnlySpan<byte> data) =>
        IsHardwareAccelerated ? AppendByInstruction(crc, data) : AppendByTable(crc, data);

    /// <summary>The form in which a checksum is stored beside the bytes it covers (LevelDB, table format).</summary>
    public static uint Mask(uint crc) => BitOperations.RotateRight(crc, 15) + MaskDelta;

    /// <summary>The checksum of a stored, masked form.</summary>
    public static uint Unmask(uint masked) => BitOperations.RotateLeft(masked - MaskDelta, 15);

    /// <summary>With the processor's instruction; for little-endian machines; fast where <see cref="IsHardwareAccelerated"/>.</summary>
    internal static uint AppendByInstruction(uint crc, ReadOnlySpan<byte> data)
    {
        crc = ~crc;
        while (data.Length >= 3 * StreamLength)
        {
            crc = AppendThreeStreams(crc, MemoryMarshal.Cast<byte, ulong>(data[..(3 * StreamLength)]));
            data = data[(3 * StreamLength)..];
        }

        foreach (ulong word in MemoryMarshal.Cast<byte, ulong>(data))
            crc = BitOperations.Crc32C(crc, word);
        foreach (byte value in data[(data.Length & ~7)..])
            crc = BitOperations.Crc32C(crc, value);
        return ~crc;
    }

    /// <summary>Eight table look-ups for eight bytes.</summary>
    internal static uint AppendByTable(uint crc, ReadOnlySpan<byte> data)
    {
        crc = ~crc;
        for (; data.Length >= 8; data = data[8..])
        {
            uint low = crc ^ BinaryPrimitives.ReadUInt32LittleEndian(data);
            crc = Tables[7][low & 0xff] ^ Tables[6][(low >> 8) & 0xff] ^ Tables[5][(low >> 16) & 0xff] ^ Tables[4][low >> 24]
                ^ Tables[3][data[4]] ^ Tables[2][data[5]] ^ Tables[1][data[6]] ^ Tables[0][data[7]];
        }

        foreach (byte value in data)
            crc = Tables[0][(crc ^ value) & 0xff] ^ (crc >> 8);
        return ~crc;
    }

    /// <summary>Three independent checksums, interleaved, then joined: crc(a|b|c) = crc(a)·x^2n + crc(b)·x^n + crc(c).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // the first checkpoint should not be verified by unoptimized code
    private static uint AppendThreeStreams(uint crc, ReadOnlySpan<ulong> words)
    {
        const int Words = StreamLength / sizeof(ulong);
        ReadOnlySpan<ulong> first = words[..Words], second = words.Slice(Words, Words), third = words.Slice(2 * Words, Words);
        uint a = crc, b = 0, c = 0;
        for (int i = 0; i < first.Length; i++)
        {
            a = BitOperations.Crc32C(a, first[i]);
            b = BitOperations.Crc32C(b, second[i]);
            c = BitOperations.Crc32C(c, third[i]);
        }

        return Multiply(a, TwoStreams) ^ Multiply(b, OneStream) ^ c;
    }

    /// <summary>The product of two polynomials modulo the checksum's; the highest bit is the coefficient of x^0.</summary>
    private static uint Multiply(uint a, uint b)
    {
        uint product = 0;
        for (int bit = 31; bit >= 0; bit--)
        {
            if (((a >> bit) & 1) != 0)
                product ^= b;
            b = MultiplyByX(b);
        }

        return product;
    }

    private static uint MultiplyByX(uint a) => (a & 1) != 0 ? (a >> 1) ^ Polynomial : a >> 1;

    private static uint PowerOfX(long exponent)
    {
        uint power = 1u << 31, square = 1u << 30;
        for (; exponent > 0; exponent >>= 1)
        {
            if ((exponent & 1) != 0)
                power = Multiply(power, square);
            square = Multiply(square, square);
        }

        return power;
    }

    /// <summary>Table k holds the checksum of each byte followed by k zero bytes.</summary>
    private static uint[][] CreateTables()
    {
        uint[][] tables = new uint[8][];
        for (int k = 0; k < tables.Length; k++)
        {
            tables[k] = new uint[256];
            uint shift = PowerOfX(8L * (k + 1));
            for (uint value = 0; value < 256; value++)
                tables[k][value] = Multiply(value, shift);
        }

        return tables;
    }
}

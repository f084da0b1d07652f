using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using ArmCrc32 = System.Runtime.Intrinsics.Arm.Crc32;

namespace PicoGpt.Files;

/// <summary>The CRC-32 of ZIP and PNG files (APPNOTE.TXT 4.4.7; ISO 3309; reflected polynomial edb88320).</summary>
internal static class Crc32
{
    private const uint Polynomial = 0xEDB88320;
    private const int Step = 8;

    // Four vectors are folded at once, because a multiplication takes several cycles but can begin in each.
    private const int Lanes = 4;
    private const int BlockLength = Lanes * 16;

    // Table k has the checksum of a byte that k zero bytes follow.
    private static readonly uint[][] Tables = MakeTables();

    // What 64 bits are multiplied by to come so many bits further: x^(n+32) and x^(n-32) modulo the polynomial.
    private static readonly Vector128<ulong> Over512Bits = Vector128.Create(PowerOfX(512 + 32), PowerOfX(512 - 32));
    private static readonly Vector128<ulong> Over128Bits = Vector128.Create(PowerOfX(128 + 32), PowerOfX(128 - 32));

    public static uint Compute(ReadOnlySpan<byte> bytes) => Append(0, bytes);

    /// <summary>The checksum of bytes that follow those of a checksum.</summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        crc = ~crc;
        if (ArmCrc32.Arm64.IsSupported)
        {
            ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes);
            foreach (ulong word in words) crc = ArmCrc32.Arm64.ComputeCrc32(crc, word);
            bytes = bytes[(words.Length * sizeof(ulong))..];
        }
        else if (Pclmulqdq.IsSupported && bytes.Length >= 2 * BlockLength)
        {
            int length = bytes.Length / BlockLength * BlockLength;
            crc = AppendBlocks(crc, MemoryMarshal.Cast<byte, Vector128<ulong>>(bytes[..length]));
            bytes = bytes[length..];
        }

        return ~AppendByTable(crc, bytes);
    }

    /// <summary>Eight bytes at a step. The checksum is not inverted, before nor after.</summary>
    private static uint AppendByTable(uint crc, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= Step)
        {
            uint low = BinaryPrimitives.ReadUInt32LittleEndian(bytes) ^ crc;
            uint high = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
            crc = Tables[7][low & 0xFF] ^ Tables[6][(low >> 8) & 0xFF] ^ Tables[5][(low >> 16) & 0xFF] ^ Tables[4][low >> 24]
                ^ Tables[3][high & 0xFF] ^ Tables[2][(high >> 8) & 0xFF] ^ Tables[1][(high >> 16) & 0xFF] ^ Tables[0][high >> 24];
            bytes = bytes[Step..];
        }

        foreach (byte value in bytes) crc = Tables[0][(crc ^ value) & 0xFF] ^ (crc >> 8);
        return crc;
    }

    // Folding (Gopal et al., Fast CRC Computation for Generic Polynomials Using PCLMULQDQ, Intel 2009): a vector is replaced by a shorter
    // polynomial, further on, of the same remainder. The last vector goes through the tables.
    private static uint AppendBlocks(uint crc, ReadOnlySpan<Vector128<ulong>> vectors)
    {
        Vector128<ulong> a = vectors[0] ^ Vector128.CreateScalar((ulong)crc), b = vectors[1], c = vectors[2], d = vectors[3];
        for (vectors = vectors[Lanes..]; vectors.Length >= Lanes; vectors = vectors[Lanes..])
        {
            a = Fold(a, Over512Bits) ^ vectors[0];
            b = Fold(b, Over512Bits) ^ vectors[1];
            c = Fold(c, Over512Bits) ^ vectors[2];
            d = Fold(d, Over512Bits) ^ vectors[3];
        }

        b ^= Fold(a, Over128Bits);
        c ^= Fold(b, Over128Bits);
        d ^= Fold(c, Over128Bits);
        return AppendByTable(0, MemoryMarshal.AsBytes(new ReadOnlySpan<Vector128<ulong>>(in d)));
    }

    private static Vector128<ulong> Fold(Vector128<ulong> vector, Vector128<ulong> distance) =>
        Pclmulqdq.CarrylessMultiply(vector, distance, 0x00) ^ Pclmulqdq.CarrylessMultiply(vector, distance, 0x11);

    // Reflected, as the polynomial is; one bit higher, because the product of two reflected numbers is one bit short.
    private static ulong PowerOfX(int exponent)
    {
        uint power = 1u << 31; // x^0
        for (int i = 0; i < exponent; i++) power = (power & 1) == 0 ? power >> 1 : Polynomial ^ (power >> 1);
        return (ulong)power << 1;
    }

    private static uint[][] MakeTables()
    {
        uint[][] tables = [.. Enumerable.Range(0, Step).Select(_ => new uint[256])];
        for (uint value = 0; value < 256; value++)
        {
            uint crc = value;
            for (int bit = 0; bit < 8; bit++) crc = (crc & 1) == 0 ? crc >> 1 : Polynomial ^ (crc >> 1);
            tables[0][value] = crc;
        }

        for (int k = 1; k < Step; k++)
        {
            for (int value = 0; value < 256; value++)
                tables[k][value] = tables[0][tables[k - 1][value] & 0xFF] ^ (tables[k - 1][value] >> 8);
        }

        return tables;
    }
}

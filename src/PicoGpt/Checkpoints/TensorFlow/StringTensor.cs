using System.Buffers.Binary;
using PicoGpt.Files;

namespace PicoGpt.Checkpoints.TensorFlow;

/// <summary>
/// The bytes of a string tensor (WriteStringTensor, tensor_bundle.cc): the lengths as varints, the masked CRC32C of the lengths,
/// then the strings. Faults are <see cref="InvalidDataException"/>.
/// </summary>
internal static class StringTensor
{
    /// <summary>Splits the bytes into strings and gives the checksum that the tensor's entry must have, unmasked.</summary>
    public static byte[][] Decode(ReadOnlySpan<byte> data, long elementCount, out uint crc)
    {
        // Each string has at least one byte of length, so the count bounds nothing greater than the data.
        if (elementCount > data.Length) throw new InvalidDataException($"{data.Length} bytes cannot hold {elementCount} strings");

        ReadOnlySpan<byte> rest = data;
        int[] lengths = new int[elementCount];
        crc = 0;
        for (int i = 0; i < lengths.Length; i++)
        {
            lengths[i] = Varint.ReadLength(ref rest, rest.Length);
            crc = AppendLength(crc, lengths[i]);
        }

        if (rest.Length < sizeof(uint)) throw new InvalidDataException("the checksum of its lengths is cut off");
        uint stored = Crc32C.Unmask(BinaryPrimitives.ReadUInt32LittleEndian(rest));
        if (stored != crc) throw new InvalidDataException($"its lengths should have the CRC32C {stored:x8}, but give {crc:x8}");
        crc = Crc32C.Append(crc, rest[..sizeof(uint)]);
        rest = rest[sizeof(uint)..];
        crc = Crc32C.Append(crc, rest);

        byte[][] strings = new byte[lengths.Length][];
        for (int i = 0; i < strings.Length; i++)
        {
            if (lengths[i] > rest.Length) throw new InvalidDataException($"string {i} is cut off");
            strings[i] = rest[..lengths[i]].ToArray();
            rest = rest[lengths[i]..];
        }

        return rest.IsEmpty ? strings : throw new InvalidDataException($"{rest.Length} bytes follow its last string");
    }

    /// <summary>The bytes of a string tensor and the checksum for its entry, unmasked.</summary>
    public static byte[] Encode(IReadOnlyList<byte[]> strings, out uint crc)
    {
        var output = new List<byte>();
        crc = 0;
        foreach (byte[] value in strings)
        {
            Varint.Write(output, (ulong)value.Length);
            crc = AppendLength(crc, value.Length);
        }

        Span<byte> lengthsCrc = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(lengthsCrc, Crc32C.Mask(crc));
        crc = Crc32C.Append(crc, lengthsCrc);
        output.AddRange(lengthsCrc);
        foreach (byte[] value in strings)
        {
            crc = Crc32C.Append(crc, value);
            output.AddRange(value);
        }

        return [.. output];
    }

    /// <summary>In the checksum, a length counts as four bytes (eight past 2^32, which no array here reaches).</summary>
    private static uint AppendLength(uint crc, int length)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)length);
        return Crc32C.Append(crc, bytes);
    }
}

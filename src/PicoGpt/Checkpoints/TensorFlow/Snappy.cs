using System.Buffers.Binary;

namespace PicoGpt.Checkpoints.TensorFlow;

/// <summary>The raw Snappy format (format_description.txt of the Snappy project): how blocks of a sorted table are compressed.</summary>
internal static class Snappy
{
    // The densest element makes 64 bytes out of 3; a block that claims more than that lies about its length.
    private const int MaxExpansion = 22;

    /// <summary>Decompresses one block.</summary>
    /// <exception cref="InvalidDataException">The block is malformed, or makes more bytes than allowed.</exception>
    public static byte[] Decompress(ReadOnlySpan<byte> compressed, int maxBytes)
    {
        ReadOnlySpan<byte> input = compressed;
        int length = Varint.ReadLength(ref input, (int)Math.Min((long)input.Length * MaxExpansion, maxBytes));
        byte[] output = new byte[length];
        int written = 0;
        while (!input.IsEmpty)
        {
            written += (input[0] & 3) == 0
                ? CopyLiteral(ref input, output.AsSpan(written))
                : CopyEarlier(ref input, output, written);
        }

        return written == length
            ? output
            : throw new InvalidDataException($"a snappy block of {length} bytes ends after {written}");
    }

    private static int CopyLiteral(ref ReadOnlySpan<byte> input, Span<byte> output)
    {
        int code = input[0] >> 2;
        int extraBytes = Math.Max(code - 59, 0); // 60 to 63 announce 1 to 4 bytes of length
        long length = (extraBytes == 0 ? code : ReadLittleEndian(input[1..], extraBytes)) + 1L;
        input = input[(1 + extraBytes)..];
        if (length > input.Length || length > output.Length)
            throw new InvalidDataException("a snappy literal passes the end of its block");

        input[..(int)length].CopyTo(output);
        input = input[(int)length..];
        return (int)length;
    }

    private static int CopyEarlier(ref ReadOnlySpan<byte> input, byte[] output, int written)
    {
        byte tag = input[0];
        int offsetBytes = (tag & 3) == 3 ? 4 : tag & 3; // 1, 2 or 4
        long offset = ReadLittleEndian(input[1..], offsetBytes);
        int length = (tag >> 2) + 1;
        if (offsetBytes == 1)
        {
            offset |= (long)(tag & 0xe0) << 3;
            length = ((tag >> 2) & 7) + 4;
        }

        input = input[(1 + offsetBytes)..];
        if (offset == 0 || offset > written || length > output.Length - written)
            throw new InvalidDataException("a snappy copy reaches outside its block");

        // Source and target may overlap: a copy repeats what it has itself written.
        for (int i = written; i < written + length; i++)
            output[i] = output[i - (int)offset];
        return length;
    }

    private static uint ReadLittleEndian(ReadOnlySpan<byte> input, int byteCount)
    {
        if (input.Length < byteCount) throw new InvalidDataException("a snappy block is cut off");
        Span<byte> padded = stackalloc byte[sizeof(uint)];
        padded.Clear();
        input[..byteCount].CopyTo(padded);
        return BinaryPrimitives.ReadUInt32LittleEndian(padded);
    }

    /// <summary>Compresses one block: greedy, with copies of four bytes or more found by a hash of their first four.</summary>
    public static byte[] Compress(ReadOnlySpan<byte> block)
    {
        const int HashBits = 14;
        var output = new List<byte>();
        Varint.Write(output, (ulong)block.Length);
        int[] lastSeen = new int[1 << HashBits];
        lastSeen.AsSpan().Fill(-1);
        int literalStart = 0, position = 0;
        while (position <= block.Length - sizeof(uint))
        {
            uint hash = (BinaryPrimitives.ReadUInt32LittleEndian(block[position..]) * 0x1e35a7bdu) >> (32 - HashBits);
            int earlier = lastSeen[hash];
            lastSeen[hash] = position;
            int length = earlier < 0 || position - earlier > ushort.MaxValue
                ? 0
                : block[position..].CommonPrefixLength(block[earlier..]);
            if (length < sizeof(uint))
            {
                position++;
                continue;
            }

            WriteLiteral(output, block[literalStart..position]);
            WriteCopy(output, position - earlier, length);
            position += length;
            literalStart = position;
        }

        WriteLiteral(output, block[literalStart..]);
        return [.. output];
    }

    private static void WriteLiteral(List<byte> output, ReadOnlySpan<byte> literal)
    {
        if (literal.IsEmpty) return;
        uint code = (uint)literal.Length - 1;
        if (code < 60)
        {
            output.Add((byte)(code << 2));
        }
        else
        {
            int extraBytes = code < 1u << 8 ? 1 : code < 1u << 16 ? 2 : code < 1u << 24 ? 3 : 4;
            output.Add((byte)((59 + extraBytes) << 2));
            for (int i = 0; i < extraBytes; i++)
                output.Add((byte)(code >> (8 * i)));
        }

        output.AddRange(literal);
    }

    private static void WriteCopy(List<byte> output, int offset, int length)
    {
        for (; length > 0; length -= Math.Min(length, 64))
            output.AddRange([(byte)(((Math.Min(length, 64) - 1) << 2) | 2), (byte)offset, (byte)(offset >> 8)]);
    }
}

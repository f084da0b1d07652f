using System.Buffers.Binary;

namespace PicoGpt.Checkpoints;

/// <summary>The raw Snappy format (format_description.txt of the Snappy project): decompression of table blocks.</summary>
internal static class Snappy
{
    // The densest element makes 64 bytes out of 3; a block that claims more than that lies about its length.
    private const int MaxExpansion = 22;

    /// <summary>Decompresses one block.</summary>
    /// <exception cref="InvalidDataException">The block is malformed.</exception>
    public static byte[] Decompress(ReadOnlySpan<byte> compressed)
    {
        ReadOnlySpan<byte> input = compressed;
        int length = Varint.ReadLength(ref input, (int)Math.Min((long)input.Length * MaxExpansion, Array.MaxLength));
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
}

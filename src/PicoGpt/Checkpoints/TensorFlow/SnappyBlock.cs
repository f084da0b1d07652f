using Snappier;

namespace PicoGpt.Checkpoints.TensorFlow;

/// <summary>
/// A block of a sorted table in the raw Snappy format, read by Snappier. That leaves what follows the declared length, and lets indexes out of
/// range and overflows through, which are faults of the block here.
/// </summary>
internal static class SnappyBlock
{
    // The densest element makes 64 bytes out of 3; a block that claims more than that lies about its length.
    private const int MaxExpansion = 22;

    /// <summary>Decompresses one block.</summary>
    /// <exception cref="InvalidDataException">The block is malformed, or would have more bytes than allowed.</exception>
    public static byte[] Decompress(ReadOnlySpan<byte> compressed, int maxBytes)
    {
        try
        {
            long length = Snappy.GetUncompressedLength(compressed), max = Math.Min((long)compressed.Length * MaxExpansion, maxBytes);
            if (length > max) throw new InvalidDataException($"a snappy block of {compressed.Length} bytes claims {length}, which passes what is left ({max})");
            byte[] contents = new byte[length];
            int written = Snappy.Decompress(compressed, contents);
            return written == length ? contents : throw new InvalidDataException($"a snappy block of {length} bytes ends after {written}");
        }
        catch (Exception fault) when (fault is ArgumentException or OverflowException) // of lengths and offsets that make no sense
        {
            throw new InvalidDataException("a snappy block is malformed", fault);
        }
    }

    /// <summary>Compresses one block.</summary>
    public static byte[] Compress(ReadOnlySpan<byte> block) => Snappy.CompressToArray(block);
}

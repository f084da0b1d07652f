namespace PicoGpt.Checkpoints.TensorFlow;

/// <summary>
/// Byte strings that sort as the values they stand for (TensorFlow's ordered_code.h); a checkpoint names the slices of
/// partitioned tensors by them.
/// </summary>
internal static class OrderedCode
{
    /// <summary>The first byte of every slice's key: the number 0. No tensor's name begins so.</summary>
    public const byte SliceKeyMark = 0;

    /// <summary>The key under which the index keeps one slice of a tensor (saved_tensor_slice_util.cc).</summary>
    public static byte[] SliceKey(ReadOnlySpan<byte> name, TensorSlice slice)
    {
        var key = new List<byte>(name.Length + 64);
        WriteUnsigned(key, SliceKeyMark);
        WriteString(key, name);
        WriteUnsigned(key, (ulong)slice.Extents.Count);
        foreach (TensorExtent extent in slice.Extents)
        {
            WriteSigned(key, extent.Start);
            WriteSigned(key, extent.Length ?? -1);
        }

        return [.. key];
    }

    /// <summary>A length byte, then that many big-endian bytes.</summary>
    internal static void WriteUnsigned(List<byte> output, ulong value)
    {
        int length = 0;
        while (length < sizeof(ulong) && value >> (8 * length) != 0)
            length++;

        output.Add((byte)length);
        for (int i = length - 1; i >= 0; i--)
            output.Add((byte)(value >> (8 * i)));
    }

    /// <summary>The bytes with 00 as 00 FF and FF as FF 00, then 00 01.</summary>
    internal static void WriteString(List<byte> output, ReadOnlySpan<byte> value)
    {
        foreach (byte b in value)
        {
            output.Add(b);
            if (b is 0x00 or 0xff)
                output.Add((byte)~b);
        }

        output.Add(0x00);
        output.Add(0x01);
    }

    /// <summary>Big-endian two's complement in the fewest bytes n that hold it in 7n bits, its top n bits inverted.</summary>
    internal static void WriteSigned(List<byte> output, long value)
    {
        int length = 1;
        while ((Int128)value < -(Int128.One << ((7 * length) - 1)) || (Int128)value >= Int128.One << ((7 * length) - 1))
            length++;

        // The sign fills the top n+1 bits; inverting n of them makes the unary length and keeps the order.
        Int128 inverted = ((Int128.One << length) - 1) << (7 * length);
        Int128 coded = value ^ inverted;
        for (int i = length - 1; i >= 0; i--)
            output.Add((byte)(coded >> (8 * i)));
    }
}

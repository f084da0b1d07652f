namespace PicoGpt.Checkpoints.TensorFlow;

/// <summary>Little-endian numbers in groups of 7 bits, as protocol buffers and LevelDB write them.</summary>
internal static class Varint
{
    private const int MaxLength = 10; // 64 bits in groups of 7

    /// <summary>Takes a number from the start of <paramref name="data"/>.</summary>
    /// <exception cref="InvalidDataException">The number does not end, or passes 64 bits.</exception>
    public static ulong Read(ref ReadOnlySpan<byte> data)
    {
        ulong value = 0;
        for (int i = 0; i < MaxLength; i++)
        {
            if (i >= data.Length) throw new InvalidDataException("a number is cut off");
            byte part = data[i];
            if (i == MaxLength - 1 && part > 1) break;
            value |= (ulong)(part & 0x7f) << (7 * i);
            if (part < 0x80)
            {
                data = data[(i + 1)..];
                return value;
            }
        }

        throw new InvalidDataException("a number has more than 64 bits");
    }

    /// <summary>Takes a length that must not pass <paramref name="limit"/>.</summary>
    /// <exception cref="InvalidDataException">The number is malformed, or greater than the limit.</exception>
    public static int ReadLength(ref ReadOnlySpan<byte> data, int limit)
    {
        ulong value = Read(ref data);
        return value <= (ulong)limit ? (int)value : throw new InvalidDataException($"the length {value} passes what is left ({limit})");
    }

    /// <summary>Appends a number.</summary>
    public static void Write(List<byte> output, ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            output.Add((byte)(value | 0x80));
        output.Add((byte)value);
    }
}

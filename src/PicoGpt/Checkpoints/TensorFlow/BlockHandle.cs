namespace PicoGpt.Checkpoints.TensorFlow;

/// <summary>Where a block of a sorted table lies: offset and size in bytes, without its five-byte trailer.</summary>
internal readonly record struct BlockHandle(ulong Offset, ulong Size)
{
    public static BlockHandle Read(ref ReadOnlySpan<byte> data) => new(Varint.Read(ref data), Varint.Read(ref data));

    public void Write(List<byte> output)
    {
        Varint.Write(output, Offset);
        Varint.Write(output, Size);
    }
}

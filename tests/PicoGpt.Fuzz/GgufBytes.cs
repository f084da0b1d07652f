using System.Buffers.Binary;
using System.Text;

namespace PicoGpt.Fuzz;

/// <summary>GGUF files made by hand, from the format's description alone.</summary>
internal static class GgufBytes
{
    public static byte[] Text(string text) => [.. Number(8u), .. String(text)];

    public static byte[] UInt32(uint value) => [.. Number(4u), .. Number(value)];

    public static byte[] UInt64(ulong value) => [.. Number(10u), .. Number(value)];

    public static byte[] Float32(float value) => [.. Number(6u), .. BitConverter.GetBytes(value)];

    public static byte[] Bool(bool value) => [.. Number(7u), value ? (byte)1 : (byte)0];

    public static byte[] Texts(params IReadOnlyCollection<string> texts) => Array(8, texts.Count, [.. texts.SelectMany(String)]);

    public static byte[] Ints(params IReadOnlyCollection<int> values) => Array(5, values.Count, [.. values.SelectMany(BitConverter.GetBytes)]);

    public static byte[] Array(uint type, long count, byte[] elements) => [.. Number(9u), .. Number(type), .. Number((ulong)count), .. elements];

    /// <summary>A whole file.</summary>
    /// <param name="metadata">Keys, and values with their types.</param>
    /// <param name="tensors">Tensors with the number of their type and their dimensions as the file has them, the innermost first.</param>
    /// <param name="version">The version of the format.</param>
    /// <param name="alignment">To a multiple of what each tensor's data is moved.</param>
    public static byte[] File(
        IReadOnlyCollection<(string Key, byte[] Value)> metadata,
        IReadOnlyCollection<(string Name, uint Type, long[] Dimensions, byte[] Data)> tensors,
        uint version = 3,
        int alignment = 32)
    {
        using var file = new MemoryStream();
        file.Write("GGUF"u8);
        file.Write(Number(version));
        file.Write(Number((ulong)tensors.Count));
        file.Write(Number((ulong)metadata.Count));
        foreach ((string key, byte[] value) in metadata) file.Write([.. String(key), .. value]);
        long offset = 0;
        foreach ((string name, uint type, long[] dimensions, byte[] data) in tensors)
        {
            file.Write([.. String(name), .. Number((uint)dimensions.Length), .. dimensions.SelectMany(d => Number((ulong)d)), .. Number(type), .. Number((ulong)offset)]);
            offset += (data.Length + alignment - 1) / alignment * alignment;
        }

        foreach ((_, _, _, byte[] data) in tensors)
        {
            Pad(file, alignment);
            file.Write(data);
        }

        Pad(file, alignment);
        return file.ToArray();
    }

    public static byte[] String(string text) => [.. Number((ulong)Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)];

    public static byte[] Number(uint value)
    {
        byte[] bytes = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return bytes;
    }

    public static byte[] Number(ulong value)
    {
        byte[] bytes = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        return bytes;
    }

    private static void Pad(MemoryStream file, int alignment)
    {
        while (file.Length % alignment != 0) file.WriteByte(0);
    }
}

using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace PicoGpt.Checkpoints.Gguf;

/// <summary>The header of a GGUF file that is to be written: metadata in the order in which it is added, then the list of the tensors.</summary>
internal sealed class GgufHeader
{
    private readonly ArrayBufferWriter<byte> _metadata = new();
    private ulong _count;

    public void Add(string key, string value)
    {
        Begin(key, GgufValueType.String);
        Write(_metadata, value);
    }

    public void Add(string key, uint value)
    {
        Begin(key, GgufValueType.UInt32);
        Write(_metadata, value);
    }

    public void Add(string key, float value)
    {
        Begin(key, GgufValueType.Float32);
        Write(_metadata, BitConverter.SingleToUInt32Bits(value));
    }

    public void Add(string key, bool value)
    {
        Begin(key, GgufValueType.Bool);
        _metadata.Write([value ? (byte)1 : (byte)0]);
    }

    public void Add(string key, IReadOnlyCollection<string> values)
    {
        BeginArray(key, GgufValueType.String, values.Count);
        foreach (string value in values) Write(_metadata, value);
    }

    public void Add(string key, IReadOnlyCollection<int> values)
    {
        BeginArray(key, GgufValueType.Int32, values.Count);
        foreach (int value in values) Write(_metadata, (uint)value);
    }

    /// <summary>The bytes before the tensors' data, up to the place where it begins.</summary>
    /// <param name="tensors">The tensors in the order of their data.</param>
    /// <param name="alignment">The bytes to a multiple of which the data of each is moved.</param>
    public byte[] ToArray(IReadOnlyCollection<(string Name, GgmlFormat Format, TensorShape Shape)> tensors, int alignment)
    {
        var stream = new ArrayBufferWriter<byte>();
        stream.Write(GgufFile.Magic);
        Write(stream, GgufFile.Version);
        Write(stream, (ulong)tensors.Count);
        Write(stream, _count);
        stream.Write(_metadata.WrittenSpan);
        long offset = 0;
        foreach ((string name, GgmlFormat format, TensorShape shape) in tensors)
        {
            Write(stream, name);
            Write(stream, (uint)shape.Rank);
            foreach (long dimension in shape.Dimensions.Reverse()) Write(stream, (ulong)dimension);
            Write(stream, (uint)format.Type);
            Write(stream, (ulong)offset);
            offset = GgufFile.Align(offset + format.SizeOf(shape), alignment);
        }

        stream.Write(new byte[GgufFile.Align(stream.WrittenCount, alignment) - stream.WrittenCount]);
        return stream.WrittenSpan.ToArray();
    }

    private void Begin(string key, GgufValueType type)
    {
        _count++;
        Write(_metadata, key);
        Write(_metadata, (uint)type);
    }

    private void BeginArray(string key, GgufValueType type, int count)
    {
        Begin(key, GgufValueType.Array);
        Write(_metadata, (uint)type);
        Write(_metadata, (ulong)count);
    }

    private static void Write(ArrayBufferWriter<byte> stream, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Write(stream, (ulong)bytes.Length);
        stream.Write(bytes);
    }

    private static void Write(ArrayBufferWriter<byte> stream, uint value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        stream.Write(bytes);
    }

    private static void Write(ArrayBufferWriter<byte> stream, ulong value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        stream.Write(bytes);
    }
}

using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace PicoGpt.Peers.Onnx;

/// <summary>Writes a message of Protocol Buffers, field by field (protobuf.dev/programming-guides/encoding).</summary>
internal sealed class ProtoMessage
{
    private const int VarintType = 0, LengthType = 2, Fixed32Type = 5;

    private readonly ArrayBufferWriter<byte> _bytes = new();

    public void Add(int field, long value)
    {
        WriteVarint((ulong)((field << 3) | VarintType));
        WriteVarint((ulong)value);
    }

    public void Add(int field, float value)
    {
        WriteVarint((ulong)((field << 3) | Fixed32Type));
        Span<byte> bytes = stackalloc byte[sizeof(float)];
        BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
        _bytes.Write(bytes);
    }

    public void Add(int field, string text) => Add(field, Encoding.UTF8.GetBytes(text));

    public void Add(int field, ProtoMessage message) => Add(field, message._bytes.WrittenSpan);

    public void Add(int field, ReadOnlySpan<byte> bytes)
    {
        WriteVarint((ulong)((field << 3) | LengthType));
        WriteVarint((ulong)bytes.Length);
        _bytes.Write(bytes);
    }

    public byte[] ToArray() => _bytes.WrittenSpan.ToArray();

    private void WriteVarint(ulong value)
    {
        for (; value >= 0x80; value >>= 7) _bytes.Write([(byte)(value | 0x80)]);
        _bytes.Write([(byte)value]);
    }
}

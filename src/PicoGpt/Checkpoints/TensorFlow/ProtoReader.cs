using System.Buffers.Binary;

namespace PicoGpt.Checkpoints.TensorFlow;

/// <summary>Walks the fields of one protocol buffer message; every fault is an <see cref="InvalidDataException"/>.</summary>
internal ref struct ProtoReader(ReadOnlySpan<byte> message)
{
    private ReadOnlySpan<byte> _rest = message;
    private ProtoWireType _wireType;

    /// <summary>Steps to the next field; false at the end of the message.</summary>
    public bool TryReadField(out int number)
    {
        number = 0;
        if (_rest.IsEmpty) return false;

        ulong tag = Varint.Read(ref _rest);
        if (tag >> 3 is 0 or > 0x1fffffff) throw new InvalidDataException("a field's number is out of range");
        number = (int)(tag >> 3);
        _wireType = (ProtoWireType)(tag & 7);
        return true;
    }

    public long ReadInt64()
    {
        Expect(ProtoWireType.Varint);
        return (long)Varint.Read(ref _rest);
    }

    public uint ReadFixed32()
    {
        Expect(ProtoWireType.Fixed32);
        return BinaryPrimitives.ReadUInt32LittleEndian(Take(sizeof(uint)));
    }

    public ReadOnlySpan<byte> ReadBytes()
    {
        Expect(ProtoWireType.Bytes);
        return Take(Varint.ReadLength(ref _rest, _rest.Length));
    }

    public void Skip()
    {
        switch (_wireType)
        {
            case ProtoWireType.Varint: Varint.Read(ref _rest); break;
            case ProtoWireType.Fixed64: Take(sizeof(ulong)); break;
            case ProtoWireType.Bytes: ReadBytes(); break;
            case ProtoWireType.Fixed32: Take(sizeof(uint)); break;
            default: throw new InvalidDataException($"a field has the unknown wire type {(int)_wireType}");
        }
    }

    /// <summary>Whether the current field is laid out so.</summary>
    public readonly bool Is(ProtoWireType wireType) => _wireType == wireType;

    private readonly void Expect(ProtoWireType wireType)
    {
        if (_wireType != wireType)
            throw new InvalidDataException($"a field has the wire type {(int)_wireType} instead of {(int)wireType}");
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _rest.Length) throw new InvalidDataException("a field is cut off");
        ReadOnlySpan<byte> taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }
}

using PicoGpt.Checkpoints.TensorFlow;

namespace PicoGpt.Fuzz;

/// <summary>Changes to the fields of a protocol buffer message, at any depth; lengths around them are put right.</summary>
internal static class ProtoMutations
{
    private const int DeepestNesting = 400;

    public static byte[] Change(byte[] message, Dice dice)
    {
        if (dice.Chance(0.15) || !TryParse(message, out List<Field> fields)) return ByteMutations.Change(message, dice);
        if (fields.Count == 0) return Write([NewField(dice)]);
        int at = dice.Next(fields.Count);
        Field field = fields[at];
        switch (dice.Next(9))
        {
            case 0: fields.RemoveAt(at); break;
            case 1: fields.Insert(dice.Next(fields.Count + 1), field); break;
            case 2: fields.Insert(dice.Next(fields.Count + 1), NewField(dice)); break;
            case 3: fields[at] = field with { Number = dice.Chance(0.7) ? (uint)dice.Next(16) : (uint)dice.Number() }; break;
            case 4: fields[at] = NewField(dice) with { Number = field.Number }; break;
            default: fields[at] = ChangeValue(field, dice); break;
        }

        return Write(fields);
    }

    private static Field ChangeValue(Field field, Dice dice) => field.WireType switch
    {
        ProtoWireType.Bytes => field with { Bytes = Change(field.Bytes, dice) },
        ProtoWireType.Varint => field with { Bytes = Varint(dice.Number(), dice) },
        _ => field with { Bytes = dice.Bytes(field.Bytes.Length) },
    };

    private static Field NewField(Dice dice)
    {
        uint number = (uint)dice.Next(12);
        return dice.Next(4) switch
        {
            0 => new Field(number, ProtoWireType.Fixed32, dice.Bytes(4)),
            1 => new Field(number, ProtoWireType.Bytes, dice.Chance(0.2) ? Nested(number, dice.Next(DeepestNesting)) : dice.Bytes(dice.Next(12))),
            2 => new Field(number, (ProtoWireType)dice.Next(8), dice.Bytes(8)),
            _ => new Field(number, ProtoWireType.Varint, Varint(dice.Number(), dice)),
        };
    }

    private static byte[] Nested(uint number, int depth)
    {
        byte[] message = [];
        for (; depth > 0; depth--) message = Write([new Field(number, ProtoWireType.Bytes, message)]);
        return message;
    }

    // now and then with zeros behind it that mean nothing
    private static byte[] Varint(ulong value, Dice dice)
    {
        var bytes = new List<byte>();
        Checkpoints.TensorFlow.Varint.Write(bytes, value);
        if (!dice.Chance(0.1)) return [.. bytes];
        bytes[^1] |= 0x80;
        bytes.AddRange(Enumerable.Repeat((byte)0x80, dice.Next(12)));
        bytes.Add(0);
        return [.. bytes];
    }

    private static bool TryParse(ReadOnlySpan<byte> rest, out List<Field> fields)
    {
        fields = [];
        try
        {
            while (!rest.IsEmpty)
            {
                ulong tag = Checkpoints.TensorFlow.Varint.Read(ref rest);
                ReadOnlySpan<byte> value = rest;
                int length;
                switch ((ProtoWireType)(tag & 7))
                {
                    case ProtoWireType.Varint:
                        Checkpoints.TensorFlow.Varint.Read(ref rest);
                        length = value.Length - rest.Length;
                        break;
                    case ProtoWireType.Bytes:
                        length = Checkpoints.TensorFlow.Varint.ReadLength(ref rest, rest.Length);
                        value = rest;
                        break;
                    case ProtoWireType.Fixed32: length = 4; break;
                    case ProtoWireType.Fixed64: length = 8; break;
                    default: return false;
                }

                if (length > value.Length) return false;
                fields.Add(new Field((uint)(tag >> 3), (ProtoWireType)(tag & 7), value[..length].ToArray()));
                rest = value[length..];
            }

            return true;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private static byte[] Write(List<Field> fields)
    {
        var output = new List<byte>();
        foreach (Field field in fields)
        {
            Checkpoints.TensorFlow.Varint.Write(output, ((ulong)field.Number << 3) | (ulong)field.WireType);
            if (field.WireType == ProtoWireType.Bytes) Checkpoints.TensorFlow.Varint.Write(output, (ulong)field.Bytes.Length);
            output.AddRange(field.Bytes);
        }

        return [.. output];
    }

    private sealed record Field(uint Number, ProtoWireType WireType, byte[] Bytes);
}

using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Items = System.Collections.Generic.List<System.Collections.Generic.KeyValuePair<object?, object?>>;

namespace PicoGpt.Checkpoints.PyTorch;

/// <summary>
/// Reads Python's pickles (the opcodes of pickletools.py, protocols 2 to 5) that hold plain data. Nothing is imported or run: the
/// opcodes are those of numbers, texts, tuples, lists and dictionaries, and what a pickle wants to be called is given to the owner,
/// who knows a few names and refuses every other.
/// </summary>
/// <remarks>
/// Tuples are arrays of objects, dictionaries lists of pairs, whole numbers are long. An opcode makes one object at most, and takes
/// an item off the stack once, so that memory and time are bounded by the number of opcodes and the length of the texts.
/// </remarks>
/// <param name="pickle">The bytes.</param>
/// <param name="find">Looks a name up, and throws for one that it does not know.</param>
/// <param name="call">Gives what calling it with arguments gives.</param>
/// <param name="load">Gives what lies outside the pickle under an id.</param>
internal sealed class PickleReader(
    byte[] pickle, Func<string, string, object> find, Func<object?, object?[], object?> call, Func<object?, object?> load)
{
    private const int LatestProtocol = 5;

    // A tensor takes about 40.
    private const int MostOpcodes = 1 << 18;

    private static readonly object Mark = new();

    private readonly List<object?> _stack = [];
    private readonly Dictionary<uint, object?> _memo = [];
    private int _position;

    /// <summary>Reads the pickle.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    /// <exception cref="NotSupportedException">It is more than plain data.</exception>
    public object? Read()
    {
        for (int i = 0; i < MostOpcodes; i++)
        {
            int position = _position;
            byte opcode = Byte();
            if (opcode == '.') return Pop();
            if (!ReadValue(opcode) && !ReadContainer(opcode) && !ReadReference(opcode))
                throw new NotSupportedException($"its pickle has the opcode 0x{opcode:x2} at byte {position}, which plain data needs not");
        }

        throw new NotSupportedException($"its pickle has more than {MostOpcodes} opcodes");
    }

    private bool ReadValue(byte opcode)
    {
        switch (opcode)
        {
            case 0x80: // PROTO
                byte protocol = Byte();
                return protocol <= LatestProtocol ? true : throw new NotSupportedException($"its pickle is of protocol {protocol}");
            case 0x95: // FRAME
                Bytes(sizeof(long));
                return true;
            case (byte)'N':
                return Push(null);
            case 0x88: // NEWTRUE
                return Push(true);
            case 0x89: // NEWFALSE
                return Push(false);
            case (byte)'J': // BININT
                return Push((long)BinaryPrimitives.ReadInt32LittleEndian(Bytes(sizeof(int))));
            case (byte)'K': // BININT1
                return Push((long)Byte());
            case (byte)'M': // BININT2
                return Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Bytes(sizeof(ushort))));
            case 0x8A: // LONG1
                return Push(Long(Bytes(Byte())));
            case (byte)'G': // BINFLOAT
                return Push(BinaryPrimitives.ReadDoubleBigEndian(Bytes(sizeof(double))));
            case (byte)'X': // BINUNICODE
                return Push(Text(BinaryPrimitives.ReadUInt32LittleEndian(Bytes(sizeof(uint)))));
            case 0x8C: // SHORT_BINUNICODE
                return Push(Text(Byte()));
            default:
                return false;
        }
    }

    private bool ReadContainer(byte opcode)
    {
        switch (opcode)
        {
            case (byte)'(':
                return Push(Mark);
            case (byte)')':
                return Push(Array.Empty<object?>());
            case (byte)'t':
                return Push(PopToMark());
            case 0x85 or 0x86 or 0x87: // TUPLE1, TUPLE2, TUPLE3
                object?[] tuple = new object?[opcode - 0x84];
                for (int i = tuple.Length - 1; i >= 0; i--) tuple[i] = Pop();
                return Push(tuple);
            case (byte)']':
                return Push(new List<object?>());
            case (byte)'}':
                return Push(new Items());
            case (byte)'a':
                Append(Pop());
                return true;
            case (byte)'e':
                Append(PopToMark());
                return true;
            case (byte)'s':
                object? value = Pop(), key = Pop();
                SetItems(key, value);
                return true;
            case (byte)'u':
                SetItems(PopToMark());
                return true;
            default:
                return false;
        }
    }

    private bool ReadReference(byte opcode)
    {
        switch (opcode)
        {
            case (byte)'q': // BINPUT
                _memo[Byte()] = Top();
                return true;
            case (byte)'r': // LONG_BINPUT
                _memo[BinaryPrimitives.ReadUInt32LittleEndian(Bytes(sizeof(uint)))] = Top();
                return true;
            case 0x94: // MEMOIZE
                _memo[(uint)_memo.Count] = Top();
                return true;
            case (byte)'h': // BINGET
                return Push(Memo(Byte()));
            case (byte)'j': // LONG_BINGET
                return Push(Memo(BinaryPrimitives.ReadUInt32LittleEndian(Bytes(sizeof(uint)))));
            case (byte)'c': // GLOBAL
                string module = Line();
                return Push(find(module, Line()));
            case 0x93: // STACK_GLOBAL
                object? name = Pop(), from = Pop();
                return Push(find(from as string ?? "", name as string ?? ""));
            case (byte)'R': // REDUCE
                object? arguments = Pop(), callee = Pop();
                return Push(call(callee, arguments as object?[] ?? throw new InvalidDataException("it calls with what is no tuple")));
            case (byte)'Q': // BINPERSID
                return Push(load(Pop()));
            case (byte)'b': // BUILD: attributes of a dictionary, which are none of its items
                Pop();
                return Top() is Items ? true : throw new NotSupportedException("its pickle gives a state to what is no dictionary");
            default:
                return false;
        }
    }

    private void Append(params object?[] items)
    {
        if (Top() is not List<object?> list) throw new InvalidDataException("it appends to what is no list");
        list.AddRange(items);
    }

    private void SetItems(params object?[] items)
    {
        if (Top() is not Items dictionary || items.Length % 2 != 0)
            throw new InvalidDataException("it sets items of what is no dictionary");
        for (int i = 0; i < items.Length; i += 2) dictionary.Add(new(items[i], items[i + 1]));
    }

    private bool Push(object? value)
    {
        _stack.Add(value);
        return true;
    }

    private object? Pop()
    {
        object? top = Top();
        _stack.RemoveAt(_stack.Count - 1);
        return top;
    }

    private object? Top() =>
        _stack.Count > 0 && _stack[^1] != Mark ? _stack[^1] : throw new InvalidDataException("it takes more from its stack than there is");

    private object?[] PopToMark()
    {
        int mark = _stack.LastIndexOf(Mark);
        if (mark < 0) throw new InvalidDataException("it takes more from its stack than there is");
        object?[] items = [.. CollectionsMarshal.AsSpan(_stack)[(mark + 1)..]];
        _stack.RemoveRange(mark, _stack.Count - mark);
        return items;
    }

    private object? Memo(uint index) =>
        _memo.TryGetValue(index, out object? value) ? value : throw new InvalidDataException($"it has nothing under the number {index}");

    private byte Byte() => Bytes(1)[0];

    private ReadOnlySpan<byte> Bytes(long count)
    {
        if (count > pickle.Length - _position) throw new InvalidDataException("it is cut short");
        ReadOnlySpan<byte> bytes = pickle.AsSpan(_position, (int)count);
        _position += (int)count;
        return bytes;
    }

    private string Text(long length) => Encoding.UTF8.GetString(Bytes(length));

    private string Line()
    {
        int length = pickle.AsSpan(_position).IndexOf((byte)'\n');
        if (length < 0) throw new InvalidDataException("it is cut short");
        string line = Text(length);
        _position++;
        return line;
    }

    private static long Long(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > sizeof(long)) throw new InvalidDataException("it has a number of more than 64 bits");
        long value = bytes.Length > 0 && bytes[^1] >= 0x80 ? -1 : 0;
        for (int i = bytes.Length - 1; i >= 0; i--) value = (value << 8) | bytes[i];
        return value;
    }
}

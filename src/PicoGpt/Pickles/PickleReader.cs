using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Items = System.Collections.Generic.List<System.Collections.Generic.KeyValuePair<object?, object?>>;

namespace PicoGpt.Pickles;

/// <summary>
/// Reads Python's pickles (the opcodes of pickletools.py, protocols 2 to 5). Nothing is imported or run: there are numbers, texts, bytes, tuples,
/// lists, sets and dictionaries, and what a pickle wants to be called is given to the owner, who knows a few names and lets a
/// <see cref="PickleObject"/> stand for what any other would give.
/// </summary>
/// <remarks>
/// Tuples are arrays of objects, sets are lists, dictionaries lists of pairs, whole numbers are long. An opcode makes one object at most, and
/// takes an item off the stack once, so that memory and time are bounded by the number of opcodes and the length of the texts.
/// </remarks>
/// <param name="pickle">The bytes.</param>
/// <param name="find">Looks a name up.</param>
/// <param name="call">Gives what calling it with arguments gives.</param>
/// <param name="load">Gives what lies outside the pickle under an id.</param>
/// <param name="start">Where in the bytes the pickle begins.</param>
internal sealed class PickleReader(
    byte[] pickle, Func<string, string, object> find, Func<object?, object?[], object?> call, Func<object?, object?> load, int start = 0)
{
    private const int LatestProtocol = 5;

    // A tensor takes about 40.
    private const int MaxOpcodes = 1 << 18;

    private const int Portion = 64;

    private static readonly object Mark = new();

    private static readonly PickleObject SomeBytes = new(new PickleGlobal("builtins", "bytes")), LongNumber = new(new PickleGlobal("builtins", "int"));

    private readonly List<object?> _stack = [];
    private readonly Dictionary<uint, object?> _memo = [];
    private int _position = start;

    /// <summary>Where the pickle ends, when it was read.</summary>
    public int Position => _position;

    /// <summary>Reads the pickle.</summary>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    /// <exception cref="NotSupportedException">It is more than plain data.</exception>
    public object? Read(CancellationToken cancellationToken = default)
    {
        for (int i = 0; i < MaxOpcodes; i++)
        {
            if (i % Portion == 0) cancellationToken.ThrowIfCancellationRequested();
            int position = _position;
            byte opcode = Byte();
            if (opcode == '.') return Pop();
            if (!ReadValue(opcode) && !ReadContainer(opcode) && !ReadReference(opcode))
                throw new NotSupportedException($"its pickle has the opcode 0x{opcode:x2} at byte {position}, which such data does not need");
        }

        throw new NotSupportedException($"its pickle has more than {MaxOpcodes} opcodes");
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
                ReadOnlySpan<byte> number = Bytes(Byte());
                return Push(number.Length <= sizeof(long) ? Long(number) : LongNumber);
            case (byte)'G': // BINFLOAT
                return Push(BinaryPrimitives.ReadDoubleBigEndian(Bytes(sizeof(double))));
            case (byte)'X': // BINUNICODE
                return Push(Text(BinaryPrimitives.ReadUInt32LittleEndian(Bytes(sizeof(uint)))));
            case 0x8C: // SHORT_BINUNICODE
                return Push(Text(Byte()));
            case 0x8D: // BINUNICODE8
                return Push(Text(Length(BinaryPrimitives.ReadUInt64LittleEndian(Bytes(sizeof(ulong))))));
            case (byte)'U': // SHORT_BINSTRING, a text of Python 2
                return Push(Text(Byte()));
            case (byte)'T': // BINSTRING, the same
                return Push(Text(BinaryPrimitives.ReadUInt32LittleEndian(Bytes(sizeof(uint)))));
            default:
                return ReadOpaque(opcode);
        }
    }

    // What no weights are made of is passed over.
    private bool ReadOpaque(byte opcode)
    {
        switch (opcode)
        {
            case 0x8B: // LONG4
                Bytes(BinaryPrimitives.ReadUInt32LittleEndian(Bytes(sizeof(uint))));
                return Push(LongNumber);
            case (byte)'C': // SHORT_BINBYTES
                Bytes(Byte());
                return Push(SomeBytes);
            case (byte)'B': // BINBYTES
                Bytes(BinaryPrimitives.ReadUInt32LittleEndian(Bytes(sizeof(uint))));
                return Push(SomeBytes);
            case 0x8E or 0x96: // BINBYTES8, BYTEARRAY8
                Bytes(Length(BinaryPrimitives.ReadUInt64LittleEndian(Bytes(sizeof(ulong)))));
                return Push(SomeBytes);
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
            case (byte)']' or 0x8F: // and EMPTY_SET
                return Push(new List<object?>());
            case 0x91: // FROZENSET
                return Push(PopToMark());
            case (byte)'}':
                return Push(new Items());
            case (byte)'a':
                Append(Pop());
                return true;
            case (byte)'e' or 0x90: // and ADDITEMS
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
            case (byte)'0':
                _stack.RemoveAt(_stack.Count > 0 ? _stack.Count - 1 : throw new InvalidDataException("it takes more from its stack than there is"));
                return true;
            case (byte)'1': // POP_MARK
                PopToMark();
                return true;
            case (byte)'2': // DUP
                return Push(Top());
            case 0x92: // NEWOBJ_EX: arguments by name as well
                object? named = Pop();
                return named is Items && Construct();
            case (byte)'R' or 0x81: // REDUCE, NEWOBJ
                return Construct();
            case (byte)'Q': // BINPERSID
                return Push(load(Pop()));
            case (byte)'b': // BUILD: attributes, which belong to no weight; those of a dictionary are not among its items
                Pop();
                Top();
                return true;
            default:
                return false;
        }
    }

    private bool Construct()
    {
        object? arguments = Pop(), callee = Pop();
        return Push(call(callee, arguments as object?[] ?? throw new InvalidDataException("it calls with something other than a tuple")));
    }

    private void Append(params object?[] items)
    {
        if (Top() is PickleObject) return;
        if (Top() is not List<object?> list) throw new InvalidDataException("it appends to something other than a list");
        list.AddRange(items);
    }

    private void SetItems(params object?[] items)
    {
        if (Top() is PickleObject) return;
        if (Top() is not Items dictionary || items.Length % 2 != 0)
            throw new InvalidDataException("it sets items of something other than a dictionary");
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

    private static long Length(ulong length) => length <= long.MaxValue ? (long)length : throw new InvalidDataException("it is cut short");

    private static long Long(ReadOnlySpan<byte> bytes)
    {
        long value = bytes.Length > 0 && bytes[^1] >= 0x80 ? -1 : 0;
        for (int i = bytes.Length - 1; i >= 0; i--) value = (value << 8) | bytes[i];
        return value;
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PicoGpt.Tokens;

/// <summary>
/// Spellings, numbered in the order in which they come: a hash table with open addressing over one array of all their characters. A vocabulary
/// stands before every first token, and a Dictionary of strings takes twice as long to fill.
/// </summary>
internal sealed class SymbolTable
{
    private readonly SeededHash _hash = SeededHash.OfThisProcess;
    private char[] _characters;
    private int[] _ends; // where a symbol ends in the characters; it begins where the one before ends
    private int[] _slots; // numbers + 1; 0 is free

    /// <param name="capacity">How many symbols there is room for before it grows.</param>
    public SymbolTable(int capacity)
    {
        int length = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(capacity, 512));
        (_characters, _ends, _slots) = (new char[8 * length], new int[length], new int[2 * length]);
    }

    /// <summary>How many symbols there are.</summary>
    public int Count { get; private set; }

    /// <summary>The spelling of a symbol.</summary>
    public ReadOnlySpan<char> this[int number]
    {
        get
        {
            int start = number == 0 ? 0 : _ends[number - 1];
            return _characters.AsSpan(start, _ends[number] - start);
        }
    }

    /// <summary>The number of a symbol; -1 where it is not there.</summary>
    public int Find(ReadOnlySpan<char> symbol) => _slots[SlotOf(symbol)] - 1;

    /// <summary>The number of a symbol, which is added where it is not there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // the first vocabulary should not be read by unoptimized code
    public int NumberOf(ReadOnlySpan<char> symbol)
    {
        int slot = SlotOf(symbol), number = _slots[slot] - 1;
        if (number >= 0) return number;
        if (Count == _ends.Length) slot = Grow(symbol);
        int start = Count == 0 ? 0 : _ends[Count - 1], end = checked(start + symbol.Length);
        if (end > _characters.Length) Array.Resize(ref _characters, (int)Math.Min(Array.MaxLength, Math.Max(end, 2L * _characters.Length)));
        symbol.CopyTo(_characters.AsSpan(start));
        _ends[Count] = end;
        _slots[slot] = ++Count;
        return Count - 1;
    }

    // where the symbol is, or the free slot where it belongs
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int SlotOf(ReadOnlySpan<char> symbol)
    {
        int mask = _slots.Length - 1, slot = (int)HashOf(MemoryMarshal.AsBytes(symbol)) & mask;
        while (_slots[slot] > 0 && !this[_slots[slot] - 1].SequenceEqual(symbol)) slot = (slot + 1) & mask;
        return slot;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private ulong HashOf(ReadOnlySpan<byte> bytes)
    {
        ulong hash = _hash.Seed ^ (ulong)bytes.Length;
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..]) hash = _hash.Fold(hash ^ MemoryMarshal.Read<ulong>(bytes));
        ulong rest = 0;
        foreach (byte value in bytes) rest = (rest << 8) | value;
        return _hash.Fold(hash ^ rest);
    }

    // At most half of the slots are taken.
    private int Grow(ReadOnlySpan<char> symbol)
    {
        Array.Resize(ref _ends, 2 * _ends.Length);
        _slots = new int[2 * _slots.Length];
        for (int number = 0; number < Count; number++) _slots[SlotOf(this[number])] = number + 1;
        return SlotOf(symbol);
    }
}

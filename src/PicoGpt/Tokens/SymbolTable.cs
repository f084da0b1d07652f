using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PicoGpt.Tokens;

/// <summary>
/// Strings of bytes, numbered in the order in which they come: a hash table with open addressing over one array of all their bytes. A vocabulary
/// stands before every first token, and a Dictionary of strings takes several times as long to fill.
/// </summary>
/// <remarks>
/// What fills it is inlined into its caller's loop, which the runtime replaces while it runs: a method by itself would stay unoptimized for the
/// tens of milliseconds that this takes in a new process, where it was not compiled ahead of time.
/// </remarks>
internal sealed class SymbolTable
{
    private readonly SeededHash _hash = SeededHash.OfThisProcess;
    private byte[] _bytes;
    private int[] _ends; // where a symbol ends in the bytes; it begins where the one before ends
    private int[] _slots; // numbers + 1; 0 is free

    /// <param name="capacity">How many symbols there is room for before it grows.</param>
    public SymbolTable(int capacity)
    {
        int length = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(capacity, 512));
        (_bytes, _ends, _slots) = (new byte[8 * length], new int[length], new int[2 * length]);
    }

    /// <summary>How many symbols there are.</summary>
    public int Count { get; private set; }

    /// <summary>A symbol.</summary>
    public ReadOnlySpan<byte> this[int number]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            int start = number == 0 ? 0 : _ends[number - 1];
            return _bytes.AsSpan(start, _ends[number] - start);
        }
    }

    /// <summary>The number of a symbol; -1 where it is not there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Find(ReadOnlySpan<byte> symbol) => _slots[SlotOf(symbol)] - 1;

    /// <summary>The number of a symbol, which is added where it is not there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int NumberOf(ReadOnlySpan<byte> symbol)
    {
        int slot = SlotOf(symbol), number = _slots[slot] - 1;
        return number >= 0 ? number : Add(symbol, slot);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Add(ReadOnlySpan<byte> symbol, int slot)
    {
        int start = Count == 0 ? 0 : _ends[Count - 1], end = checked(start + symbol.Length);
        if (Count == _ends.Length) slot = Grow(symbol);
        if (end > _bytes.Length) Array.Resize(ref _bytes, (int)Math.Min(Array.MaxLength, Math.Max(end, 2L * _bytes.Length)));
        symbol.CopyTo(_bytes.AsSpan(start));
        _ends[Count] = end;
        _slots[slot] = ++Count;
        return Count - 1;
    }

    // where the symbol is, or the free slot where it belongs
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int SlotOf(ReadOnlySpan<byte> symbol)
    {
        int[] slots = _slots;
        int mask = slots.Length - 1, slot = (int)HashOf(symbol) & mask;
        while (slots[slot] > 0 && !this[slots[slot] - 1].SequenceEqual(symbol)) slot = (slot + 1) & mask;
        return slot;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong HashOf(ReadOnlySpan<byte> bytes)
    {
        ulong hash = _hash.Seed ^ (ulong)bytes.Length;
        for (; bytes.Length > sizeof(ulong); bytes = bytes[sizeof(ulong)..]) hash = _hash.Fold(hash ^ MemoryMarshal.Read<ulong>(bytes));
        ulong rest = 0;
        foreach (byte value in bytes) rest = (rest << 8) | value;
        return _hash.Fold(hash ^ rest);
    }

    // At most half of the slots are taken.
    private int Grow(ReadOnlySpan<byte> symbol)
    {
        Array.Resize(ref _ends, 2 * _ends.Length);
        _slots = new int[2 * _slots.Length];
        for (int number = 0; number < Count; number++) _slots[SlotOf(this[number])] = number + 1;
        return SlotOf(symbol);
    }
}

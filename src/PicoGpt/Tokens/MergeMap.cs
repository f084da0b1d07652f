using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace PicoGpt.Tokens;

/// <summary>
/// Merges by pair of symbols: a hash table with open addressing. It is asked once or more for every byte of a text, where
/// a Dictionary takes several times as long.
/// </summary>
internal sealed class MergeMap
{
    private readonly SeededHash _hash = SeededHash.OfThisProcess;
    private Slot[] _slots;
    private int _shift; // what it takes from 64 bits to the number of a slot
    private int _count;

    /// <param name="capacity">How many merges there is room for before it grows.</param>
    public MergeMap(int capacity) => Clear(2 * (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(capacity, 512)));

    /// <summary>The pair of two symbols.</summary>
    public static long Pair(int left, int right) => ((long)left << 32) | (uint)right;

    /// <summary>The merge of a pair, or <see cref="Merge.None"/>.</summary>
    public Merge Find(long pair)
    {
        ref Slot slot = ref SlotOf(pair);
        return slot.IsTaken ? slot.Merge : Merge.None;
    }

    /// <summary>Sets the merge of a pair.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)] // see SymbolTable
    public void Set(long pair, Merge merge)
    {
        if (2 * _count >= _slots.Length) Grow();
        ref Slot slot = ref SlotOf(pair);
        if (!slot.IsTaken) _count++;
        slot = new Slot(pair, merge);
    }

    // where the pair is, or the free slot where it belongs
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref Slot SlotOf(long pair)
    {
        Slot[] slots = _slots;
        int mask = slots.Length - 1, at = _hash.SlotOf((ulong)pair, _shift);
        while (slots[at].IsTaken && slots[at].Pair != pair) at = (at + 1) & mask;
        return ref slots[at];
    }

    [MemberNotNull(nameof(_slots))]
    private void Clear(int length)
    {
        _slots = new Slot[length];
        _shift = 64 - BitOperations.Log2((uint)length);
    }

    private void Grow()
    {
        Slot[] slots = _slots;
        Clear(2 * slots.Length);
        foreach (Slot slot in slots)
        {
            if (slot.IsTaken) SlotOf(slot.Pair) = slot;
        }
    }

    // Memory of zeros is free slots.
    private readonly struct Slot(long pair, Merge merge)
    {
        private readonly long _pairAndOne = pair + 1;

        public Merge Merge { get; } = merge;

        public long Pair => _pairAndOne - 1;

        public bool IsTaken => _pairAndOne != 0;
    }
}

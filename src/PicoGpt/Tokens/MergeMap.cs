using System.Numerics;
using System.Runtime.CompilerServices;

namespace PicoGpt.Tokens;

/// <summary>
/// Merges by pair of symbols: a hash table with open addressing. It is asked once or more for every byte of a text, where
/// a Dictionary takes several times as long.
/// </summary>
internal sealed class MergeMap
{
    private const long Empty = -1; // no pair: symbols are not negative

    private readonly SeededHash _hash = SeededHash.OfThisProcess;
    private long[] _pairs;
    private Merge[] _merges;
    private int _count;

    /// <param name="capacity">How many merges there is room for before it grows.</param>
    public MergeMap(int capacity)
    {
        int length = 2 * (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(capacity, 512));
        (_pairs, _merges) = (NewTable(length), new Merge[length]);
    }

    /// <summary>The pair of two symbols.</summary>
    public static long Pair(int left, int right) => ((long)left << 32) | (uint)right;

    /// <summary>The merge of a pair, or <see cref="Merge.None"/>.</summary>
    public Merge Find(long pair)
    {
        int slot = SlotOf(pair);
        return _pairs[slot] == pair ? _merges[slot] : Merge.None;
    }

    /// <summary>Sets the merge of a pair.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Set(long pair, Merge merge)
    {
        if (2 * _count >= _pairs.Length) Grow();
        int slot = SlotOf(pair);
        if (_pairs[slot] == Empty) _count++;
        _pairs[slot] = pair;
        _merges[slot] = merge;
    }

    private static long[] NewTable(int length)
    {
        long[] table = new long[length];
        Array.Fill(table, Empty);
        return table;
    }

    // where the pair is, or the free slot where it belongs
    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // the first vocabulary should not be read by unoptimized code
    private int SlotOf(long pair)
    {
        long[] pairs = _pairs;
        int mask = pairs.Length - 1, slot = (int)_hash.Fold((ulong)pair ^ _hash.Seed) & mask;
        while (pairs[slot] != pair && pairs[slot] != Empty) slot = (slot + 1) & mask;
        return slot;
    }

    private void Grow()
    {
        (long[] pairs, Merge[] merges) = (_pairs, _merges);
        _pairs = NewTable(2 * pairs.Length);
        _merges = new Merge[2 * pairs.Length];
        _count = 0;
        for (int i = 0; i < pairs.Length; i++)
        {
            if (pairs[i] != Empty) Set(pairs[i], merges[i]);
        }
    }
}

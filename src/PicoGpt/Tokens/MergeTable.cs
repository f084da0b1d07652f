using System.Runtime.CompilerServices;

namespace PicoGpt.Tokens;

/// <summary>
/// The merges of <c>vocab.bpe</c> over symbol numbers: 0 to 255 are the single bytes, then every string of bytes that a merge
/// names or makes, in order of appearance.
/// </summary>
internal sealed class MergeTable
{
    /// <summary>Pieces up to this many bytes are merged by scanning, longer ones with a queue.</summary>
    public const int MaxScannedLength = 96;

    private const int Gone = -1;

    private const int StackBytes = 256;

    private readonly MergeMap _merges;
    private readonly SymbolTable _symbols;
    private readonly List<long> _pairs; // as MergeMap has them
    private bool[] _isMade; // by number

    /// <param name="capacity">How many merges there is room for before it grows.</param>
    public MergeTable(int capacity = 0)
    {
        (_merges, _symbols, _pairs, _isMade) = (new MergeMap(capacity), new SymbolTable(capacity + 256), new List<long>(capacity), new bool[capacity + 256]);
        for (int value = 0; value < 256; value++) _symbols.NumberOf([(byte)value]);
    }

    /// <summary>How many symbols there are: their numbers are below.</summary>
    public int SymbolCount => _symbols.Count;

    /// <summary>How many merges were added.</summary>
    public int Count => _pairs.Count;

    /// <summary>The merges in the order in which they were added.</summary>
    public IEnumerable<(string Left, string Right)> Pairs => _pairs.Select(pair => (SpellingOf((int)(pair >> 32)), SpellingOf((int)pair)));

    /// <summary>The spelling of a symbol by its number.</summary>
    public string SpellingOf(int symbol) => ByteAlphabet.Spell(_symbols[symbol]);

    /// <summary>The number of a symbol by its spelling; -1 where no merge names or makes it and it is not a byte.</summary>
    public int FindSymbol(ReadOnlySpan<char> spelling)
    {
        Span<byte> bytes = spelling.Length <= StackBytes ? stackalloc byte[StackBytes] : new byte[spelling.Length];
        return ByteAlphabet.TryDecode(spelling, bytes) ? _symbols.Find(bytes[..spelling.Length]) : -1;
    }

    /// <summary>Adds the next merge. Of two merges of the same pair the later one counts, as in OpenAI's code.</summary>
    /// <param name="left">The spelling of the left symbol.</param>
    /// <param name="right">The spelling of the right one.</param>
    /// <param name="rank">Its turn.</param>
    /// <exception cref="ArgumentException">A character spells no byte.</exception>
    public void Add(ReadOnlySpan<char> left, ReadOnlySpan<char> right, int rank)
    {
        int length = left.Length + right.Length;
        Span<byte> bytes = length <= StackBytes ? stackalloc byte[StackBytes] : new byte[length];
        if (!ByteAlphabet.TryDecode(left, bytes) || !ByteAlphabet.TryDecode(right, bytes[left.Length..]))
            throw new ArgumentException("a symbol has a character that spells no byte");
        Add(bytes[..length], left.Length, rank);
    }

    /// <summary>Adds the next merge.</summary>
    /// <param name="made">The bytes of the symbol that it makes.</param>
    /// <param name="leftLength">How many of them are the left symbol's.</param>
    /// <param name="rank">Its turn.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)] // see SymbolTable
    public void Add(ReadOnlySpan<byte> made, int leftLength, int rank)
    {
        long pair = MergeMap.Pair(_symbols.NumberOf(made[..leftLength]), _symbols.NumberOf(made[leftLength..]));
        _pairs.Add(pair);
        int symbol = _symbols.NumberOf(made);
        if (symbol >= _isMade.Length) Array.Resize(ref _isMade, 2 * symbol);
        _isMade[symbol] = true;
        _merges.Set(pair, new Merge(rank, symbol));
    }

    /// <summary>Whether a merge makes a symbol, by its number.</summary>
    public bool Makes(int symbol) => (uint)symbol < (uint)_isMade.Length && _isMade[symbol];

    /// <summary>Merges symbols as far as the merges go.</summary>
    /// <param name="symbols">Symbol numbers; overwritten.</param>
    /// <returns>How many symbols are left, at the beginning of <paramref name="symbols"/>.</returns>
    public int Apply(Span<int> symbols) => symbols.Length <= MaxScannedLength ? ApplyByScanning(symbols) : ApplyByQueue(symbols);

    /// <summary>OpenAI's loop: find the pair of the lowest rank, merge it wherever it stands, again. Quadratic.</summary>
    public int ApplyByScanning(Span<int> symbols)
    {
        int count = symbols.Length;
        Span<Merge> merges = count <= MaxScannedLength ? stackalloc Merge[MaxScannedLength] : new Merge[count]; // of a symbol with the next
        for (int i = 0; i + 1 < count; i++) merges[i] = Find(symbols[i], symbols[i + 1]);
        while (count > 1)
        {
            Merge best = Merge.None;
            foreach (Merge merge in merges[..(count - 1)])
            {
                if (merge.Rank < best.Rank) best = merge;
            }

            if (best == Merge.None) break;
            count = Replace(symbols[..count], merges, best);
        }

        return count;
    }

    /// <summary>
    /// The same with a linked list of symbols and a queue of pairs by rank: n log n. All pairs of one rank are taken out
    /// together, so that pairs which their merging makes wait their turn, as in the loop.
    /// </summary>
    public int ApplyByQueue(Span<int> symbols)
    {
        int[] next = new int[symbols.Length];
        int[] previous = new int[symbols.Length];
        var queue = new PriorityQueue<int, long>(symbols.Length); // positions by rank, then position
        for (int i = 0; i < symbols.Length; i++)
        {
            next[i] = i + 1;
            previous[i] = i - 1;
            if (i + 1 < symbols.Length) Enqueue(queue, i, Find(symbols[i], symbols[i + 1]));
        }

        List<int> batch = [];
        while (TakeBatch(queue, batch) is int rank)
        {
            foreach (int position in batch)
            {
                // The pair may have been broken up since it was queued.
                int right = next[position];
                if (symbols[position] < 0 || right >= symbols.Length) continue;
                Merge merge = Find(symbols[position], symbols[right]);
                if (merge.Rank != rank) continue;

                symbols[position] = merge.Symbol;
                symbols[right] = Gone;
                next[position] = next[right];
                if (next[position] < symbols.Length)
                {
                    previous[next[position]] = position;
                    Enqueue(queue, position, Find(symbols[position], symbols[next[position]]));
                }

                if (previous[position] >= 0) Enqueue(queue, previous[position], Find(symbols[previous[position]], symbols[position]));
            }
        }

        int count = 0;
        for (int i = 0; i < symbols.Length; i = next[i]) symbols[count++] = symbols[i];
        return count;
    }

    private static void Enqueue(PriorityQueue<int, long> queue, int position, Merge merge)
    {
        if (merge != Merge.None) queue.Enqueue(position, ((long)merge.Rank << 32) | (uint)position);
    }

    // all positions of the lowest rank, from left to right, and that rank
    private static int? TakeBatch(PriorityQueue<int, long> queue, List<int> batch)
    {
        batch.Clear();
        if (!queue.TryPeek(out _, out long first)) return null;
        while (queue.TryPeek(out int position, out long priority) && priority >> 32 == first >> 32)
        {
            batch.Add(position);
            queue.Dequeue();
        }

        return (int)(first >> 32);
    }

    // merges one pair wherever it stands, from left to right, and finds the new neighbours' merges
    private int Replace(Span<int> symbols, Span<Merge> merges, Merge merge)
    {
        int kept = 0;
        for (int i = 0; i < symbols.Length; i++, kept++)
        {
            bool merged = i + 1 < symbols.Length && merges[i] == merge;
            symbols[kept] = merged ? merge.Symbol : symbols[i];
            if (merged) i++;
            if (i + 1 < symbols.Length) merges[kept] = merged ? Find(merge.Symbol, symbols[i + 1]) : merges[i];
            if (merged && kept > 0) merges[kept - 1] = Find(symbols[kept - 1], merge.Symbol);
        }

        return kept;
    }

    private Merge Find(int left, int right) => _merges.Find(MergeMap.Pair(left, right));
}

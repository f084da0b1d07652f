namespace PicoGpt.Tokens;

/// <summary>
/// The merges of <c>vocab.bpe</c> over symbol numbers: 0 to 255 are the single bytes, then every string that a merge
/// names or makes, in order of appearance.
/// </summary>
internal sealed class MergeTable
{
    /// <summary>Pieces up to this many bytes are merged by scanning, longer ones with a queue.</summary>
    public const int LongestScanned = 96;

    private readonly Dictionary<long, Merge> _merges = [];
    private readonly Dictionary<string, int> _numbers = [];
    private readonly List<string> _symbols = [];

    public MergeTable()
    {
        foreach (char character in ByteAlphabet.Characters) NumberOf(character.ToString());
    }

    /// <summary>The symbols' spellings, by number.</summary>
    public IReadOnlyList<string> Symbols => _symbols;

    /// <summary>Adds the next merge. Of two merges of the same pair the later one counts, as in OpenAI's code.</summary>
    public void Add(ReadOnlySpan<char> left, ReadOnlySpan<char> right, int rank) =>
        _merges[Pair(NumberOf(left), NumberOf(right))] = new Merge(rank, NumberOf(string.Concat(left, right)));

    /// <summary>Merges symbols as far as the merges go.</summary>
    /// <param name="symbols">Symbol numbers; overwritten.</param>
    /// <returns>How many symbols are left, at the beginning of <paramref name="symbols"/>.</returns>
    public int Apply(Span<int> symbols) => symbols.Length <= LongestScanned ? ApplyByScanning(symbols) : ApplyByQueue(symbols);

    /// <summary>OpenAI's loop: find the pair of the lowest rank, merge it wherever it stands, again. Quadratic.</summary>
    public int ApplyByScanning(Span<int> symbols)
    {
        int count = symbols.Length;
        while (count > 1)
        {
            long best = 0;
            var merge = new Merge(int.MaxValue, 0);
            for (int i = 0; i + 1 < count; i++)
            {
                long pair = Pair(symbols[i], symbols[i + 1]);
                if (_merges.TryGetValue(pair, out Merge found) && found.Rank < merge.Rank) (best, merge) = (pair, found);
            }

            if (merge.Rank == int.MaxValue) break;
            int kept = 0;
            for (int i = 0; i < count; i++)
            {
                bool merges = i + 1 < count && Pair(symbols[i], symbols[i + 1]) == best;
                symbols[kept++] = merges ? merge.Symbol : symbols[i];
                if (merges) i++;
            }

            count = kept;
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
        var queue = new PriorityQueue<(int Position, long Pair), (int Rank, int Position)>(symbols.Length);
        for (int i = 0; i < symbols.Length; i++)
        {
            next[i] = i + 1;
            previous[i] = i - 1;
            if (i + 1 < symbols.Length) Enqueue(queue, i, symbols[i], symbols[i + 1]);
        }

        List<(int Position, long Pair)> batch = [];
        while (queue.TryPeek(out _, out (int Rank, int Position) first))
        {
            batch.Clear();
            while (queue.TryPeek(out _, out (int Rank, int Position) other) && other.Rank == first.Rank) batch.Add(queue.Dequeue());
            foreach ((int position, long pair) in batch)
            {
                int right = next[position];
                if (symbols[position] < 0 || right >= symbols.Length || Pair(symbols[position], symbols[right]) != pair) continue;
                symbols[position] = _merges[pair].Symbol;
                symbols[right] = -1;
                next[position] = next[right];
                if (next[position] < symbols.Length)
                {
                    previous[next[position]] = position;
                    Enqueue(queue, position, symbols[position], symbols[next[position]]);
                }

                if (previous[position] >= 0) Enqueue(queue, previous[position], symbols[previous[position]], symbols[position]);
            }
        }

        int count = 0;
        for (int i = 0; i < symbols.Length; i = next[i]) symbols[count++] = symbols[i];
        return count;
    }

    private static long Pair(int left, int right) => ((long)left << 32) | (uint)right;

    private void Enqueue(PriorityQueue<(int Position, long Pair), (int Rank, int Position)> queue, int position, int left, int right)
    {
        long pair = Pair(left, right);
        if (_merges.TryGetValue(pair, out Merge merge)) queue.Enqueue((position, pair), (merge.Rank, position));
    }

    private int NumberOf(ReadOnlySpan<char> symbol)
    {
        Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> numbers = _numbers.GetAlternateLookup<ReadOnlySpan<char>>();
        return numbers.TryGetValue(symbol, out int number) ? number : NumberOf(symbol.ToString());
    }

    private int NumberOf(string symbol)
    {
        if (_numbers.TryGetValue(symbol, out int number)) return number;
        _symbols.Add(symbol);
        return _numbers[symbol] = _symbols.Count - 1;
    }

    private readonly record struct Merge(int Rank, int Symbol);
}

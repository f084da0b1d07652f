using System.Runtime.InteropServices;
using System.Text;

namespace PicoGpt.Tokens;

/// <summary>
/// Merges the most frequent pair of neighbouring symbols of some words, again and again. Only the places of the pair are visited: each
/// pair knows them, and a heap knows the pairs by frequency. An entry of the heap or a place may be out of date, and is looked at again
/// when its turn comes.
/// </summary>
/// <remarks>
/// Symbols 0 to 255 are the bytes by their ids; each merge makes the next. No two merges make one spelling, and no merged pair comes again:
/// as long as no token reaches across the ends of a spelling, the merges within it are the same wherever it stands.
/// </remarks>
internal sealed class PairMerger
{
    private const int None = -1;

    // By place, the words one after another: the symbol that begins there (None where one before it reached over it), the places of the
    // symbols beside it in the word, and the word.
    private readonly int[] _symbols, _next, _previous, _wordOf;
    private readonly long[] _counts; // by word
    private readonly Dictionary<long, Pair> _pairs = [];
    private readonly PriorityQueue<long, (long Count, long Pair)> _heap = new(Comparer<(long Count, long Pair)>.Create(MostFrequentFirst));
    private readonly HashSet<long> _grown = [];
    private int _nextSymbol = 256;

    /// <param name="words">The words, and how often each comes.</param>
    /// <param name="cancellationToken">Ends the preparation.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public PairMerger(WordCounts words, CancellationToken cancellationToken)
    {
        _counts = new long[words.Count];
        int length = checked((int)words.Sum(word => (long)Encoding.UTF8.GetByteCount(word.Key)));
        (_symbols, _next, _previous, _wordOf) = (new int[length], new int[length], new int[length], new int[length]);
        int place = 0, index = 0;
        foreach ((string word, long count) in words)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _counts[index] = count;
            byte[] bytes = Encoding.UTF8.GetBytes(word);
            for (int i = 0; i < bytes.Length; i++, place++)
            {
                _symbols[place] = ByteAlphabet.IdOf(bytes[i]);
                _wordOf[place] = index;
                _previous[place] = i > 0 ? place - 1 : None;
                _next[place] = i + 1 < bytes.Length ? place + 1 : None;
                if (i > 0) Add(place - 1);
            }

            index++;
        }

        foreach ((long key, Pair pair) in _pairs) _heap.Enqueue(key, (pair.Count, key));
        _grown.Clear();
    }

    /// <summary>Merges the most frequent pair wherever it stands, from left to right.</summary>
    /// <returns>The pair's symbols; <see langword="null"/> where none comes twice.</returns>
    public (int Left, int Right)? MergeNext()
    {
        if (TakeMostFrequent() is not { } key) return null;
        (int left, int right) = ((int)(key >> 32), (int)key);
        foreach (int place in _pairs[key].Places)
        {
            // It may have been broken up since the pair was seen there, or by the merge before: of three in a row the first two are merged.
            if (_symbols[place] == left && _next[place] is not None and int after && _symbols[after] == right) Merge(place, after);
        }

        _pairs.Remove(key);
        foreach (long grown in _grown)
        {
            if (_pairs.TryGetValue(grown, out Pair? pair)) _heap.Enqueue(grown, (pair.Count, grown));
        }

        _grown.Clear();
        _nextSymbol++;
        return (left, right);
    }

    // The most frequent first, then by the symbols.
    private static int MostFrequentFirst((long Count, long Pair) one, (long Count, long Pair) other) =>
        one.Count == other.Count ? one.Pair.CompareTo(other.Pair) : other.Count.CompareTo(one.Count);

    private long? TakeMostFrequent()
    {
        while (_heap.TryDequeue(out long key, out (long Count, long Pair) seen))
        {
            if (!_pairs.TryGetValue(key, out Pair? pair) || pair.Count < 2) continue;
            if (pair.Count == seen.Count) return key;
            _heap.Enqueue(key, (pair.Count, key)); // it has become rarer
        }

        return null;
    }

    private void Merge(int place, int after)
    {
        if (_previous[place] != None) Remove(_previous[place]);
        Remove(place);
        if (_next[after] != None) Remove(after);
        _symbols[place] = _nextSymbol;
        _symbols[after] = None;
        _next[place] = _next[after];
        if (_next[after] != None) _previous[_next[after]] = place;
        if (_previous[place] != None) Add(_previous[place]);
        if (_next[place] != None) Add(place);
    }

    // The pair of the symbol at a place and the one after it.
    private long KeyAt(int place) => ((long)_symbols[place] << 32) | (uint)_symbols[_next[place]];

    private void Add(int place)
    {
        long key = KeyAt(place);
        ref Pair? pair = ref CollectionsMarshal.GetValueRefOrAddDefault(_pairs, key, out _);
        pair ??= new Pair();
        pair.Count += _counts[_wordOf[place]];
        pair.Places.Add(place);
        _grown.Add(key);
    }

    private void Remove(int place)
    {
        if (_pairs.TryGetValue(KeyAt(place), out Pair? pair)) pair.Count -= _counts[_wordOf[place]];
    }

    private sealed class Pair
    {
        public long Count { get; set; }

        /// <summary>Ascending, since the passes that add them are: over all words at first, then over the places of the pair that is merged.</summary>
        public List<int> Places { get; } = [];
    }
}

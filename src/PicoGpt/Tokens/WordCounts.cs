using System.Collections;

namespace PicoGpt.Tokens;

/// <summary>How often each word of some texts comes, in bounded memory.</summary>
/// <param name="scanner">What cuts texts into words.</param>
/// <param name="capacity">The most characters of different words that are kept; beyond them the rarest are forgotten.</param>
internal sealed class WordCounts(IPieceScanner scanner, int capacity) : IReadOnlyCollection<KeyValuePair<string, long>>
{
    /// <summary>Enough for a gigabyte of prose: some hundred megabytes of memory.</summary>
    public const int UsualCapacity = 1 << 24;

    private const int Portion = 1 << 14;

    private readonly Dictionary<string, Tally> _words = [];
    private int _characters;

    /// <summary>The different words.</summary>
    public int Count => _words.Count;

    /// <summary>Counts the words of a text.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled; a part of the text is counted.</exception>
    public void Add(ReadOnlySpan<char> text, CancellationToken cancellationToken)
    {
        Dictionary<string, Tally>.AlternateLookup<ReadOnlySpan<char>> words = _words.GetAlternateLookup<ReadOnlySpan<char>>();
        for (int seen = 0; !text.IsEmpty; seen++)
        {
            if (seen % Portion == 0) cancellationToken.ThrowIfCancellationRequested();
            ReadOnlySpan<char> word = text[..scanner.NextLength(text)];
            text = text[word.Length..];
            if (words.TryGetValue(word, out Tally? tally))
            {
                tally.Count++;
                continue;
            }

            _words.Add(word.ToString(), new Tally());
            _characters += word.Length;
            if (_characters > capacity) ForgetRarest();
        }
    }

    public IEnumerator<KeyValuePair<string, long>> GetEnumerator() =>
        _words.Select(pair => KeyValuePair.Create(pair.Key, pair.Value.Count)).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    // Down to half, so that it is not done for every word; what stays depends on the texts and their order alone.
    private void ForgetRarest()
    {
        for (long least = 1; _characters > capacity / 2; least = _words.Count == 0 ? least : _words.Values.Min(tally => tally.Count))
        {
            foreach ((string word, Tally tally) in _words)
            {
                if (tally.Count > least) continue;
                _words.Remove(word);
                _characters -= word.Length;
            }
        }
    }

    private sealed class Tally
    {
        public long Count { get; set; } = 1;
    }
}

using System.Collections;

namespace PicoGpt.Tokens;

/// <summary>The spellings of tokens by id, in the order of the ids. Ids come from a file: it hashes none, so that no choice of them is slow.</summary>
internal sealed class TokenTable : IReadOnlyCollection<KeyValuePair<int, string>>
{
    private readonly int[] _ids;
    private readonly string[] _symbols;

    public TokenTable(IReadOnlyDictionary<string, int> idsBySymbol)
    {
        _ids = [.. idsBySymbol.Values];
        _symbols = [.. idsBySymbol.Keys];
        if (!IsSorted()) Array.Sort(_ids, _symbols);
        for (int i = 1; i < _ids.Length; i++)
        {
            if (_ids[i] == _ids[i - 1]) Shared ??= (_ids[i], _symbols[i - 1], _symbols[i]);
        }
    }

    public int Count => _ids.Length;

    /// <summary>Two tokens that have one id, if there are any.</summary>
    public (int Id, string One, string Other)? Shared { get; }

    public int MinId => _ids[0];

    public int MaxId => _ids[^1];

    /// <summary>The spelling of a token; <see langword="null"/> where none has the id.</summary>
    public string? Find(int id)
    {
        if ((uint)id < (uint)_ids.Length && _ids[id] == id) return _symbols[id]; // without gaps
        int at = Array.BinarySearch(_ids, id);
        return at < 0 ? null : _symbols[at];
    }

    // Most files have their tokens in the order of their ids.
    private bool IsSorted()
    {
        for (int i = 1; i < _ids.Length; i++)
        {
            if (_ids[i] < _ids[i - 1]) return false;
        }

        return true;
    }

    public IEnumerator<KeyValuePair<int, string>> GetEnumerator() => _ids.Zip(_symbols, KeyValuePair.Create).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

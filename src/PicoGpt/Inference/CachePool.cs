namespace PicoGpt.Inference;

/// <summary>The caches that texts have left, which still hold what was read: a text that begins alike need not read it again.</summary>
internal sealed class CachePool(Gpt2Forward forward) : IDisposable
{
    /// <summary>Texts share what they begin with from so many tokens on; below that, copying is no faster than reading.</summary>
    public const int MinShared = 4;

    private readonly List<(KeyValueCache Cache, int[] Ids)> _spare = [];

    /// <summary>A cache for a text, which holds as much of its beginning already as a spare one does.</summary>
    public KeyValueCache Take(ReadOnlySpan<int> beginning)
    {
        if (_spare.Count == 0) return forward.NewCache();
        (int best, int length) = (_spare.Count - 1, MinShared - 1);
        for (int i = 0; i < _spare.Count; i++)
        {
            int common = beginning.CommonPrefixLength(_spare[i].Ids);
            if (common > length) (best, length) = (i, common);
        }

        KeyValueCache cache = _spare[best].Cache;
        _spare.RemoveAt(best);
        cache.Length = length < MinShared ? 0 : length;
        return cache;
    }

    /// <summary>Takes back the cache of a text that has ended; it holds these ids.</summary>
    public void Return(KeyValueCache cache, ReadOnlySpan<int> ids) => _spare.Add((cache, ids.ToArray()));

    public void Dispose()
    {
        foreach ((KeyValueCache cache, _) in _spare) cache.Dispose();
    }
}

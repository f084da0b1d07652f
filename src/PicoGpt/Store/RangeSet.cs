namespace PicoGpt.Store;

/// <summary>A set of byte positions, kept as sorted ranges that neither touch nor overlap.</summary>
internal sealed class RangeSet
{
    private readonly List<ByteRange> _ranges = [];

    public IReadOnlyList<ByteRange> Ranges => _ranges;

    /// <summary>How many bytes are in the set.</summary>
    public long Count => _ranges.Sum(range => range.Length);

    /// <summary>The first position that is not in the set.</summary>
    public long PrefixEnd => _ranges.Count > 0 && _ranges[0].Start == 0 ? _ranges[0].End : 0;

    public void Add(ByteRange added)
    {
        if (added.Length <= 0) return;
        int first = FirstEndingFrom(added.Start), count = 0;
        for (; first + count < _ranges.Count && _ranges[first + count].Start <= added.End; count++)
        {
            ByteRange range = _ranges[first + count];
            added = new ByteRange(Math.Min(range.Start, added.Start), Math.Max(range.End, added.End));
        }

        _ranges.RemoveRange(first, count);
        _ranges.Insert(first, added);
    }

    public void Remove(ByteRange removed)
    {
        foreach (ByteRange range in _ranges.Where(range => range.Start < removed.End && range.End > removed.Start).ToArray())
        {
            _ranges.Remove(range);
            Add(new ByteRange(range.Start, removed.Start));
            Add(new ByteRange(removed.End, range.End));
        }
    }

    /// <summary>What a file of that length has outside the set, in order, cut at every multiple of the chunk size.</summary>
    public IEnumerable<ByteRange> Missing(long length, long chunkSize)
    {
        long position = 0;
        foreach (ByteRange present in _ranges.Append(new ByteRange(length, length)).ToArray())
        {
            while (position < present.Start)
            {
                long end = Math.Min(present.Start, ((position / chunkSize) + 1) * chunkSize);
                yield return new ByteRange(position, end);
                position = end;
            }

            position = present.End;
        }
    }

    // the index of the first range that ends at a position or after it
    private int FirstEndingFrom(long position)
    {
        int low = 0, high = _ranges.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_ranges[middle].End < position) low = middle + 1;
            else high = middle;
        }

        return low;
    }
}

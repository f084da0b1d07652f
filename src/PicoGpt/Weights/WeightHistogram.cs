using System.Collections;

namespace PicoGpt.Weights;

/// <summary>
/// How the finite values of a tensor are spread: bins of equal width from the least value's to the greatest value's. The width is
/// a power of two and zero is always an edge, so that every edge is an exact number and every count is exact.
/// </summary>
public sealed class WeightHistogram : IReadOnlyList<HistogramBin>
{
    private const string Heights = "▁▂▃▄▅▆▇█";

    private readonly long[] _counts;
    private readonly long _first;
    private readonly int _exponent;

    /// <param name="exponent">The bins are 2^exponent wide.</param>
    /// <param name="first">The number of the first bin; bin 0 begins at zero.</param>
    /// <param name="counts">The counts, from that bin on.</param>
    internal WeightHistogram(int exponent, long first, long[] counts) => (_exponent, _first, _counts) = (exponent, first, counts);

    /// <summary>The width of every bin.</summary>
    public double BinWidth => Math.ScaleB(1, _exponent);

    /// <summary>The number of bins; none where there is no finite value.</summary>
    public int Count => _counts.Length;

    /// <summary>One bin, from that of the least value on.</summary>
    public HistogramBin this[int index] => new(Edge(_first + index), Edge(_first + index + 1), _counts[index]);

    /// <summary>The same counts in fewer and wider bins: neighbours are put together until there are no more than asked for.</summary>
    /// <param name="bins">The most bins there may be; 2 or more.</param>
    /// <returns>A histogram of that many bins, or a little over half as many, or this one where it has no more.</returns>
    /// <exception cref="ArgumentOutOfRangeException">One bin cannot hold values of both signs.</exception>
    public WeightHistogram Rebin(int bins)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bins, 2);
        if (Count <= bins) return this;
        int shift = 0;
        long last = _first + Count - 1;
        while ((last >> shift) - (_first >> shift) >= bins) shift++;
        long first = _first >> shift;
        long[] counts = new long[(last >> shift) - first + 1];
        for (int i = 0; i < Count; i++) counts[((_first + i) >> shift) - first] += _counts[i];
        return new WeightHistogram(_exponent + shift, first, counts);
    }

    /// <inheritdoc/>
    public IEnumerator<HistogramBin> GetEnumerator() => Enumerable.Range(0, Count).Select(i => this[i]).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The counts as one line of blocks: the fullest bin is a whole block, an empty one is blank, any other shows.</summary>
    public override string ToString()
    {
        long most = Math.Max(_counts.DefaultIfEmpty().Max(), 1);
        return string.Concat(_counts.Select(count => count == 0 ? ' ' : Heights[(int)(((Int128)count * Heights.Length - 1) / most)]));
    }

    private double Edge(long bin) => Math.ScaleB(bin, _exponent);
}

using System.Runtime.Intrinsics;

namespace PicoGpt.Weights;

/// <summary>
/// Counts finite values in bins whose width is a power of two and whose edges are multiples of it. Where a value falls outside,
/// neighbouring bins are put together: exact, so that one pass is enough and the order of the values does not matter.
/// </summary>
internal sealed unsafe class DyadicCounts
{
    /// <summary>The most bins.</summary>
    public const int Bins = 1024;

    // Below this share of the greatest magnitude, 2^-24, float32 has no values next to it.
    private const int Precision = 24;

    // Added to an integer from 0 to 2^52, it leaves the integer in the low bits of the double.
    private const double IntegerBits = 4503599627370496;

    private long[] _counts = new long[Bins];
    private float _min = float.PositiveInfinity;
    private float _max = float.NegativeInfinity;
    private int _exponent;
    private long _first;

    /// <summary>Counts values.</summary>
    /// <param name="values">Finite values, at least one.</param>
    /// <param name="min">The least of them.</param>
    /// <param name="max">The greatest of them.</param>
    public void Add(ReadOnlySpan<float> values, float min, float max)
    {
        Cover(min, max);
        double scale = Math.ScaleB(1, -_exponent), first = _first;
        int whole = values.Length / Vector256<float>.Count * Vector256<float>.Count;
        fixed (float* x = values)
        fixed (long* counts = _counts)
        {
            // Every number is within [0, Bins), because the bins cover min and max.
            ulong* bins = stackalloc ulong[Vector256<float>.Count];
            for (int i = 0; i < whole; i += Vector256<float>.Count)
            {
                (Vector256<double> lower, Vector256<double> upper) = Vector256.Widen(Vector256.Load(x + i));
                ((Vector256.Floor(lower * scale) - Vector256.Create(first)) + Vector256.Create(IntegerBits)).AsUInt64().Store(bins);
                ((Vector256.Floor(upper * scale) - Vector256.Create(first)) + Vector256.Create(IntegerBits)).AsUInt64().Store(bins + 4);
                counts[(ushort)bins[0]]++;
                counts[(ushort)bins[1]]++;
                counts[(ushort)bins[2]]++;
                counts[(ushort)bins[3]]++;
                counts[(ushort)bins[4]]++;
                counts[(ushort)bins[5]]++;
                counts[(ushort)bins[6]]++;
                counts[(ushort)bins[7]]++;
            }
        }

        foreach (float value in values[whole..]) _counts[(long)Math.Floor(value * scale) - _first]++;
    }

    /// <summary>Adds the counts of other values.</summary>
    public void Add(DyadicCounts other)
    {
        if (other._min > other._max) return;
        Cover(other._min, other._max);
        Move(other._counts, other._first, _counts, _first, _exponent - other._exponent);
    }

    /// <summary>The bins from that of the least value to that of the greatest.</summary>
    public WeightHistogram ToHistogram() => _min > _max
        ? new WeightHistogram(0, 0, [])
        : new WeightHistogram(_exponent, _first, _counts[..(int)(Bin(_max, _exponent) - _first + 1)]);

    private static long Bin(float value, int exponent) => (long)Math.Floor(Math.ScaleB(value, -exponent));

    private static void Move(long[] from, long firstFrom, long[] to, long firstTo, int shift)
    {
        for (int i = 0; i < Bins; i++)
        {
            if (from[i] != 0) to[((firstFrom + i) >> Math.Min(shift, 63)) - firstTo] += from[i];
        }
    }

    /// <summary>Makes the bins reach from <paramref name="min"/> to <paramref name="max"/>, and no less far than before.</summary>
    private void Cover(float min, float max)
    {
        if (min >= _min && max <= _max) return;
        bool isEmpty = _min > _max;
        (_min, _max) = (Math.Min(min, _min), Math.Max(max, _max));
        int exponent = FinestExponent(_min, _max);
        long first = Bin(_min, exponent);
        if (!isEmpty)
        {
            long[] counts = new long[Bins];
            Move(_counts, _first, counts, first, exponent - _exponent);
            _counts = counts;
        }

        (_exponent, _first) = (exponent, first);
    }

    // It depends on the two values alone and never falls as they move apart: bins are only ever put together.
    private static int FinestExponent(float min, float max)
    {
        float magnitude = Math.Max(Math.Abs(min), Math.Abs(max));
        int exponent = (magnitude == 0 ? -126 : Math.ILogB(magnitude)) - Precision;
        while (Bin(max, exponent) - Bin(min, exponent) >= Bins) exponent++;
        return exponent;
    }
}

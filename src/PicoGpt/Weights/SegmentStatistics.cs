using System.Numerics.Tensors;
using System.Runtime.Intrinsics;

namespace PicoGpt.Weights;

/// <summary>
/// Statistics of one segment of a tensor's values. Every sum is taken in eight lanes of double precision, whatever vectors the
/// processor has, so that the bits of the result are the same everywhere.
/// </summary>
internal sealed unsafe class SegmentStatistics
{
    /// <summary>
    /// The most values that <see cref="Add(ReadOnlySpan{float})"/> takes: few enough for the first-level cache, so that they come
    /// from memory once, however often they are gone through.
    /// </summary>
    public const int ChunkLength = 4096;

    private const int Lanes = 8;

    private readonly DyadicCounts _bins = new();
    private float[]? _finiteValues;
    private long _finite;
    private long _zeros;
    private long _nans;
    private long _infinities;
    private float _min = float.PositiveInfinity;
    private float _max = float.NegativeInfinity;
    private double _mean;
    private double _squares;

    /// <summary>Adds a chunk of values.</summary>
    public void Add(ReadOnlySpan<float> chunk)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(chunk.Length, ChunkLength, nameof(chunk));
        AddFinite(TensorPrimitives.IsFiniteAll(chunk) ? chunk : Finite(chunk));
    }

    /// <summary>Adds the segment that follows this one.</summary>
    public void Add(SegmentStatistics next)
    {
        _zeros += next._zeros;
        _nans += next._nans;
        _infinities += next._infinities;
        _min = Math.Min(_min, next._min);
        _max = Math.Max(_max, next._max);
        Merge(next._finite, next._mean, next._squares);
        _bins.Add(next._bins);
    }

    /// <summary>What was gathered.</summary>
    public WeightStatistics ToStatistics() => new()
    {
        Count = _finite + _nans + _infinities,
        Min = _finite == 0 ? float.NaN : _min,
        Max = _finite == 0 ? float.NaN : _max,
        Mean = _finite == 0 ? double.NaN : _mean,
        StandardDeviation = _finite == 0 ? double.NaN : Math.Sqrt(_squares / _finite),
        Zeros = _zeros,
        NaNs = _nans,
        Infinities = _infinities,
        Histogram = _bins.ToHistogram(),
    };

    private ReadOnlySpan<float> Finite(ReadOnlySpan<float> chunk)
    {
        _finiteValues ??= new float[ChunkLength];
        int count = 0;
        foreach (float value in chunk)
        {
            if (float.IsFinite(value)) _finiteValues[count++] = value;
            else if (float.IsNaN(value)) _nans++;
            else _infinities++;
        }

        return _finiteValues.AsSpan(0, count);
    }

    private void AddFinite(ReadOnlySpan<float> values)
    {
        if (values.IsEmpty) return;
        double mean = Sum(values, out float min, out float max) / values.Length;
        _min = Math.Min(_min, min);
        _max = Math.Max(_max, max);
        Merge(values.Length, mean, SumOfSquares(values, mean));
        _bins.Add(values, min, max);
    }

    /// <summary>
    /// Merges another part's count, mean and squared deviations: T. F. Chan, G. H. Golub, R. J. LeVeque, "Updating formulae and a
    /// pairwise algorithm for computing sample variances", 1979.
    /// </summary>
    private void Merge(long count, double mean, double squares)
    {
        if (count == 0) return;
        long total = _finite + count;
        double delta = mean - _mean;
        _squares += squares + (delta * delta * _finite * count / total);
        _mean += delta * count / total;
        _finite = total;
    }

    private double Sum(ReadOnlySpan<float> values, out float min, out float max)
    {
        int whole = values.Length / Lanes * Lanes;
        Vector256<double> lower = Vector256<double>.Zero, upper = lower;
        Vector256<float> least = Vector256.Create(float.PositiveInfinity), greatest = -least;
        Vector256<int> zeros = Vector256<int>.Zero;
        fixed (float* x = values)
        {
            for (int i = 0; i < whole; i += Lanes)
            {
                Vector256<float> value = Vector256.Load(x + i);
                (Vector256<double> low, Vector256<double> high) = Vector256.Widen(value);
                lower += low;
                upper += high;
                least = Vector256.MinNative(least, value);
                greatest = Vector256.MaxNative(greatest, value);
                zeros -= Vector256.Equals(value, Vector256<float>.Zero).AsInt32(); // a true lane is −1
            }
        }

        (min, max) = (float.PositiveInfinity, float.NegativeInfinity);
        for (int lane = 0; lane < Lanes; lane++)
        {
            min = Math.Min(min, least[lane]);
            max = Math.Max(max, greatest[lane]);
            _zeros += zeros[lane];
        }

        double* lanes = stackalloc double[Lanes];
        lower.Store(lanes);
        upper.Store(lanes + 4);
        for (int i = whole; i < values.Length; i++)
        {
            lanes[i - whole] += values[i];
            min = Math.Min(min, values[i]);
            max = Math.Max(max, values[i]);
            if (values[i] == 0) _zeros++;
        }

        // The zero that a minimum of 0 and −0 gives differs between processors.
        min += 0f;
        max += 0f;
        return Fold(lanes);
    }

    private static double SumOfSquares(ReadOnlySpan<float> values, double mean)
    {
        int whole = values.Length / Lanes * Lanes;
        Vector256<double> lower = Vector256<double>.Zero, upper = lower, means = Vector256.Create(mean);
        fixed (float* x = values)
        {
            for (int i = 0; i < whole; i += Lanes)
            {
                (Vector256<double> low, Vector256<double> high) = Vector256.Widen(Vector256.Load(x + i));
                low -= means;
                high -= means;
                lower += low * low;
                upper += high * high;
            }
        }

        double* lanes = stackalloc double[Lanes];
        lower.Store(lanes);
        upper.Store(lanes + 4);
        for (int i = whole; i < values.Length; i++) lanes[i - whole] += (values[i] - mean) * (values[i] - mean);
        return Fold(lanes);
    }

    private static double Fold(double* lanes) =>
        ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

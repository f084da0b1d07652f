using PicoGpt.Files;
using PicoGpt.Numerics;

namespace PicoGpt.Weights;

/// <summary>
/// Statistics of a tensor's values. Those that are not finite are counted and left out of everything else, so that one NaN does not
/// hide the rest. The bits are the same whatever the processor and the number of threads.
/// </summary>
public sealed class WeightStatistics
{
    // The unit that one thread takes. It does not depend on their number, and so neither does the order of the sums.
    private const int SegmentLength = 256 * SegmentStatistics.ChunkLength;

    internal WeightStatistics()
    {
    }

    /// <summary>The number of values.</summary>
    public long Count { get; internal init; }

    /// <summary>The least finite value; NaN where there is none.</summary>
    public float Min { get; internal init; }

    /// <summary>The greatest finite value; NaN where there is none.</summary>
    public float Max { get; internal init; }

    /// <summary>The mean of the finite values.</summary>
    public double Mean { get; internal init; }

    /// <summary>The standard deviation of the finite values, with the biased variance (as NumPy's <c>std</c>).</summary>
    public double StandardDeviation { get; internal init; }

    /// <summary>How many values are zero, of either sign.</summary>
    public long Zeros { get; internal init; }

    /// <summary>How many values are NaN.</summary>
    public long NaNs { get; internal init; }

    /// <summary>How many values are infinite, of either sign.</summary>
    public long Infinities { get; internal init; }

    /// <summary>How the finite values are spread, in up to 1024 bins.</summary>
    public WeightHistogram Histogram { get; internal init; } = null!;

    /// <summary>Gathers the statistics, with as many threads as there are processors.</summary>
    /// <param name="portions">Memory, and where in it the values are; each but the last has whole segments.</param>
    internal static WeightStatistics Of(params IEnumerable<(ReadOnlyMemory<float> Memory, TensorLayout Layout)> portions)
    {
        SegmentStatistics? whole = null;
        foreach ((ReadOnlyMemory<float> memory, TensorLayout layout) in portions)
        {
            foreach (SegmentStatistics segment in SegmentsOf(memory, layout))
            {
                if (whole is null) whole = segment;
                else whole.Add(segment);
            }
        }

        return whole!.ToStatistics();
    }

    private static unsafe SegmentStatistics[] SegmentsOf(ReadOnlyMemory<float> memory, TensorLayout layout)
    {
        using var held = new HeldMemory<float>(memory); // another thread may close the model meanwhile
        nint first = (nint)held.Start;
        int length = held.Length;
        int segments = (int)((layout.Count + SegmentLength - 1) / SegmentLength);
        var parts = new SegmentStatistics[Math.Max(segments, 1)];
        if (segments <= 1) Gather(0);
        else ParallelLoop.For(segments, Gather);
        return held.IfUnchanged(parts);

        void Gather(int segment)
        {
            var statistics = new SegmentStatistics();
            parts[segment] = statistics;
            float[] buffer = new float[SegmentStatistics.ChunkLength];
            int start = segment * SegmentLength, end = (int)Math.Min((long)start + SegmentLength, layout.Count);
            for (int i = start; i < end; i += buffer.Length)
                statistics.Add(layout.Read(new ReadOnlySpan<float>((float*)first, length), i, buffer.AsSpan(0, Math.Min(buffer.Length, end - i))));
        }
    }
}

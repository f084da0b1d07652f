using PicoGpt.Weights;
using Xunit;

namespace PicoGpt.Tests.Weights;

public sealed class WeightStatisticsTests
{
    [Fact]
    public void The_deviation_of_nearly_equal_values_is_not_lost()
    {
        WeightStatistics statistics = Of([.. Enumerable.Range(0, 100_000).Select(i => 1000f + (i % 2 * 0.125f))]);
        Assert.Equal(0.0625, statistics.StandardDeviation, 1e-9);
        Assert.Equal(1000.0625, statistics.Mean, 1e-9);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(4097)]
    [InlineData(1_100_003)]
    public void Any_count_of_values_gives_what_plain_loops_give(int count)
    {
        float[] values = Random(count, seed: count);
        WeightStatistics statistics = Of(values);
        double mean = values.Average(v => (double)v);
        Assert.Equal(count, statistics.Count);
        Assert.Equal(values.Min(), statistics.Min);
        Assert.Equal(values.Max(), statistics.Max);
        Assert.Equal(mean, statistics.Mean, 1e-12);
        Assert.Equal(Math.Sqrt(values.Average(v => (v - mean) * (v - mean))), statistics.StandardDeviation, 1e-12);
        Assert.Equal(values.Count(v => v == 0), statistics.Zeros);
        AssertCounts(values, statistics.Histogram);
        AssertCounts(values, statistics.Histogram.Rebin(16));
    }

    [Fact]
    public void What_is_not_finite_is_counted_and_left_out()
    {
        float[] values = Random(10_000, seed: 1);
        float[] spoilt = [.. values[..5000], float.NaN, float.PositiveInfinity, .. values[5000..], float.NegativeInfinity, float.NaN, -float.NaN];
        WeightStatistics clean = Of(values), statistics = Of(spoilt);
        Assert.Equal(10_005, statistics.Count);
        Assert.Equal(3, statistics.NaNs);
        Assert.Equal(2, statistics.Infinities);
        Assert.Equal(clean.Min, statistics.Min);
        Assert.Equal(clean.Max, statistics.Max);
        Assert.Equal(clean.Mean, statistics.Mean, 1e-15);
        Assert.Equal(clean.StandardDeviation, statistics.StandardDeviation, 1e-15);
        Assert.Equal(clean.Histogram, statistics.Histogram);
    }

    [Fact]
    public void Without_finite_values_there_are_no_statistics_but_counts()
    {
        WeightStatistics statistics = Of([float.NaN, float.PositiveInfinity]);
        Assert.Equal((2, 1, 1, 0), (statistics.Count, statistics.NaNs, statistics.Infinities, statistics.Zeros));
        Assert.True(float.IsNaN(statistics.Min) && float.IsNaN(statistics.Max) && double.IsNaN(statistics.Mean) && double.IsNaN(statistics.StandardDeviation));
        Assert.Empty(statistics.Histogram);
        Assert.Equal(0, Of([]).Count);
    }

    [Fact]
    public void Zeros_of_both_signs_count_and_give_one_zero()
    {
        WeightStatistics statistics = Of([-0f, 0f, -0f, 0f, 0f, 0f, 0f, 0f, -0f]);
        Assert.Equal(9, statistics.Zeros);
        Assert.False(float.IsNegative(statistics.Min) || float.IsNegative(statistics.Max));
        Assert.Equal([new HistogramBin(0, statistics.Histogram.BinWidth, 9)], statistics.Histogram);
    }

    [Theory]
    [InlineData(-3.4028235e38f, 3.4028235e38f)]
    [InlineData(-1e-45f, 1e-45f)]
    [InlineData(1f, 1.0000001f)]
    [InlineData(-1e-30f, 1e30f)]
    [InlineData(5f, 5f)]
    [InlineData(-16777216f, -16777215f)]
    public void The_greatest_and_the_smallest_numbers_have_their_bins(float low, float high)
    {
        float[] values = [.. Enumerable.Repeat(low, 5), .. Enumerable.Repeat(high, 6)];
        WeightStatistics statistics = Of(values);
        AssertCounts(values, statistics.Histogram);
        AssertCounts(values, statistics.Histogram.Rebin(2));
        Assert.Equal(low == high ? 1 : 2, statistics.Histogram.Count(bin => bin.Count > 0));
        Assert.True(double.IsFinite(statistics.Mean) && double.IsFinite(statistics.StandardDeviation));
    }

    [Fact]
    public void A_range_that_grows_gives_the_bins_that_one_known_before_gives()
    {
        float[] growing = [.. Enumerable.Range(0, 50_000).Select(i => MathF.ScaleB((i * 7919 % 1000) - 300, i / 2500))];
        float[] shrinking = [.. growing.Reverse()];
        Assert.Equal(Of(growing).Histogram, Of(shrinking).Histogram);
        AssertCounts(growing, Of(growing).Histogram);
    }

    [Theory]
    [InlineData(1f, 70)] // beyond the bits of the numbers of bins
    [InlineData(-1f, 87)]
    [InlineData(1e-38f, 253)]
    public void What_was_counted_in_fine_bins_stays_where_it_is_in_the_coarsest(float value, int exponent)
    {
        float greatest = MathF.ScaleB(1e-38f < MathF.Abs(value) ? 1 : 1e-38f, exponent);
        var counts = new DyadicCounts();
        counts.Add([value], value, value);
        counts.Add([greatest], greatest, greatest);
        AssertCounts([value, greatest], counts.ToHistogram());
    }

    [Fact]
    public void A_histogram_has_no_more_bins_than_asked_for_and_more_than_half_as_many()
    {
        WeightHistogram histogram = Of(Random(100_000, seed: 3)).Histogram;
        foreach (int bins in (int[])[2, 3, 16, 17, 64, 500])
        {
            WeightHistogram fewer = histogram.Rebin(bins);
            Assert.InRange(fewer.Count, (bins / 2) + (bins > 3 ? 1 : 0), bins);
            Assert.Equal(100_000, fewer.Sum(bin => bin.Count));
            Assert.Contains(fewer, bin => bin.Lower == 0);
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => histogram.Rebin(1));
    }

    private static void AssertCounts(float[] values, WeightHistogram histogram)
    {
        Assert.Equal(values.Length, histogram.Sum(bin => bin.Count));
        Assert.True(histogram[0].Count > 0 && histogram[^1].Count > 0);
        Assert.All(histogram.Where((_, i) => i % 37 == 0), bin => Assert.Equal(values.Count(v => v >= bin.Lower && v < bin.Upper), bin.Count));
    }

    private static float[] Random(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(50) == 0 ? 0 : (float)((random.NextDouble() + random.NextDouble() - 0.9) * 0.3))];
    }

    private static WeightStatistics Of(float[] values) => WeightStatistics.Of((values, TensorLayout.RowMajor("values", [values.Length])));
}

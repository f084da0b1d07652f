using PicoGpt.Numerics;
using Xunit;

namespace PicoGpt.Tests.Numerics;

public sealed class RankingTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(1000)]
    [InlineData(50257)]
    public void Numbers_rank_by_falling_value_and_equal_ones_by_index(int count)
    {
        var random = new Random(count);
        foreach (Func<float> next in (Func<float>[])
        [
            random.NextSingle,
            () => (random.NextSingle() - 0.5f) * 60,
            () => random.Next(-3, 4),
            () => BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue)), // every magnitude, and NaN
        ])
        {
            AssertRanked([.. Enumerable.Range(0, count).Select(_ => next())]);
        }
    }

    [Fact]
    public void The_zeros_are_equal_and_what_is_no_number_comes_last() =>
        AssertRanked(
        [
            -0f, 0f, -0f, 1f, -1f, float.NaN, -float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.MaxValue, float.MinValue,
            float.Epsilon, -float.Epsilon, float.NegativeInfinity, float.NaN,
        ]);

    private static void AssertRanked(float[] values)
    {
        int[] expected = [.. Enumerable.Range(0, values.Length).OrderByDescending(i => values[i]).ThenBy(i => i)];
        foreach (int count in (int[])[0, 1, 40, values.Length / 2, values.Length])
        {
            int[] order = new int[Math.Min(count, values.Length)];
            Ranking.Top(values, order);
            Assert.Equal(expected[..order.Length], order);
        }
    }
}

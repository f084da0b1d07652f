using PicoGpt.Inference;
using Xunit;

namespace PicoGpt.Tests.Inference;

public sealed class TokenDistributionTests
{
    [Theory]
    [InlineData(95f, 90f, -3f)]
    [InlineData(-110f, -115f, -111f)]
    [InlineData(0f, 0f, 0f)]
    [InlineData(1e30f, -1e30f, 1e30f)]
    [InlineData(0.25f, float.NegativeInfinity, -700f)]
    public void It_is_the_softmax_however_large_the_logits(float a, float b, float c)
    {
        float[] logits = [a, b, c];
        double max = logits.Max();
        double[] p = [.. logits.Select(logit => Math.Exp(logit - max))];
        p = [.. p.Select(value => value / p.Sum())];
        var distribution = new TokenDistribution(logits);
        for (int id = 0; id < 3; id++) Assert.Equal(p[id], distribution.ProbabilityOf(id), 1e-15);
        Assert.Equal(-p.Where(value => value > 0).Sum(value => value * Math.Log2(value)), distribution.Entropy, 1e-12);
    }

    [Theory]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(2051)]
    public void Every_logit_counts_once_however_many_there_are(int count)
    {
        var random = new Random(count);
        float[] logits = [.. Enumerable.Range(0, count).Select(_ => (float)Math.Round(random.NextDouble() * 10, 1))]; // with equal ones
        double sum = logits.Sum(logit => Math.Exp(logit));
        int[] order = [.. Enumerable.Range(0, count).OrderByDescending(id => logits[id])]; // of equal ones the lower first
        var distribution = new TokenDistribution(logits);
        for (int id = 0; id < count; id++)
        {
            Assert.Equal(Math.Log(Math.Exp(logits[id]) / sum), distribution.LogProbabilityOf(id), 1e-12);
            Assert.Equal(Array.IndexOf(order, id) + 1, distribution.RankOf(id));
        }

        Assert.Equal(-logits.Sum(logit => Math.Exp(logit) / sum * Math.Log2(Math.Exp(logit) / sum)), distribution.Entropy, 1e-12);
    }

    [Fact]
    public void A_certain_token_has_no_surprisal_and_leaves_no_entropy()
    {
        var distribution = new TokenDistribution([1000f, -1000f]);
        Assert.Equal(0, distribution.LogProbabilityOf(0));
        Assert.Equal(-2000, distribution.LogProbabilityOf(1));
        Assert.Equal(0, distribution.Entropy);
    }

    [Fact]
    public void Of_equal_tokens_the_lower_id_comes_first()
    {
        var distribution = new TokenDistribution([2f, 5f, 2f, 7f, 5f, 2f]);
        Assert.Equal([4, 2, 5, 1, 3, 6], Enumerable.Range(0, 6).Select(id => new TokenDistribution([2f, 5f, 2f, 7f, 5f, 2f]).RankOf(id)));
        Assert.Equal([3, 1, 4, 0, 2], distribution.Likeliest(5));
        Assert.Equal([3, 1, 4, 0, 2, 5], distribution.Likeliest(9));
        Assert.Empty(distribution.Likeliest(0));
    }

    [Fact]
    public void What_is_no_number_is_not_passed_off_as_one()
    {
        var distribution = new TokenDistribution([1f, float.NaN, 3f]);
        Assert.True(double.IsNaN(distribution.LogProbabilityOf(0)));
        Assert.True(double.IsNaN(distribution.Entropy));
        Assert.Equal([2, 0, 1], distribution.Likeliest(3));
    }
}

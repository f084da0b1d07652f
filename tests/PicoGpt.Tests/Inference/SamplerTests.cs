using PicoGpt.Inference;
using Xunit;

namespace PicoGpt.Tests.Inference;

public sealed class SamplerTests
{
    private static readonly float[] Logits = [0f, 2f, 1f, 2f, -1f];

    [Fact]
    public void Greedy_takes_the_first_of_the_greatest() => Assert.Equal(1, new Sampler(new GenerationOptions(), 5).Next(Logits));

    [Fact]
    public void Tokens_come_as_often_as_their_probabilities_say()
    {
        double[] counts = Frequencies(new GenerationOptions { Temperature = 1, Seed = 1 });
        double sum = Logits.Sum(l => Math.Exp(l));
        for (int i = 0; i < Logits.Length; i++) Assert.Equal(Math.Exp(Logits[i]) / sum, counts[i], 0.01);
    }

    [Fact]
    public void A_temperature_divides_the_logits()
    {
        double[] counts = Frequencies(new GenerationOptions { Temperature = 0.5f, Seed = 2 });
        double sum = Logits.Sum(l => Math.Exp(2 * l));
        for (int i = 0; i < Logits.Length; i++) Assert.Equal(Math.Exp(2 * Logits[i]) / sum, counts[i], 0.01);
    }

    [Theory]
    [InlineData(1, new[] { 1 })]
    [InlineData(2, new[] { 1, 3 })]
    [InlineData(3, new[] { 1, 2, 3 })]
    [InlineData(9, new[] { 0, 1, 2, 3, 4 })]
    public void Top_k_keeps_the_likeliest_and_of_equals_the_first(int k, int[] kept) =>
        Assert.Equal(kept, Seen(new GenerationOptions { Temperature = 2, TopK = k, Seed = 3 }));

    [Theory]
    [InlineData(0.01f, new[] { 1 })]
    [InlineData(0.5f, new[] { 1, 3 })]
    [InlineData(0.9f, new[] { 1, 2, 3 })]
    [InlineData(1f, new[] { 0, 1, 2, 3, 4 })]
    public void Top_p_keeps_the_least_set_that_reaches_it(float p, int[] kept) =>
        Assert.Equal(kept, Seen(new GenerationOptions { Temperature = 1, TopP = p, Seed = 4 })); // 0.389 0.389 0.143 0.053 0.019 … of 1

    [Fact]
    public void A_seed_draws_the_same_numbers_everywhere()
    {
        // Computed by hand from SplitMix64: a change of the generator would change every seeded text.
        var sampler = new Sampler(new GenerationOptions { Temperature = 1, Seed = 42 }, 5);
        Assert.Equal([3, 1, 1, 1, 1, 2, 1, 2, 1, 3], Enumerable.Range(0, 10).Select(_ => sampler.Next(Logits)));
    }

    private static double[] Frequencies(GenerationOptions options)
    {
        const int Draws = 100_000;
        var sampler = new Sampler(options, Logits.Length);
        double[] counts = new double[Logits.Length];
        for (int i = 0; i < Draws; i++) counts[sampler.Next(Logits)] += 1.0 / Draws;
        return counts;
    }

    private static IEnumerable<int> Seen(GenerationOptions options)
    {
        double[] counts = Frequencies(options);
        return Enumerable.Range(0, counts.Length).Where(i => counts[i] > 0);
    }
}

using PicoGpt.Inference;
using PicoGpt.Numerics;
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

    [Theory]
    [InlineData(0f, new[] { 0, 1, 2, 3, 4 })]
    [InlineData(0.1f, new[] { 0, 1, 2, 3 })]
    [InlineData(0.2f, new[] { 1, 2, 3 })]
    [InlineData(0.4f, new[] { 1, 3 })]
    [InlineData(1f, new[] { 1, 3 })]
    public void Min_p_keeps_what_is_at_least_so_probable_as_the_likeliest(float minP, int[] kept) =>
        Assert.Equal(kept, Seen(new GenerationOptions { Temperature = 1, MinP = minP, Seed = 4 })); // e⁻², 1, e⁻¹, 1, e⁻³ of the greatest

    [Fact]
    public void A_seed_draws_the_same_numbers_everywhere()
    {
        // Computed by hand from SplitMix64: a change of the generator would change every seeded text.
        var sampler = new Sampler(new GenerationOptions { Temperature = 1, Seed = 42 }, 5);
        Assert.Equal([3, 1, 1, 1, 1, 2, 1, 2, 1, 3], Enumerable.Range(0, 10).Select(_ => sampler.Next(Logits)));
    }

    [Theory]
    [InlineData(1f, 0, 1f, 0f)]
    [InlineData(0.7f, 0, 0.9f, 0f)]
    [InlineData(1.5f, 40, 1f, 0f)]
    [InlineData(0.3f, 2000, 0.5f, 0f)]
    [InlineData(1f, 0, 1f, 0.05f)]
    [InlineData(2f, 500, 0.8f, 0.3f)]
    public void What_is_drawn_is_what_the_plain_definition_draws(float temperature, int topK, float topP, float minP)
    {
        var options = new GenerationOptions { Temperature = temperature, TopK = topK, TopP = topP, MinP = minP, Seed = 5 };
        var sampler = new Sampler(options, 50257);
        var draws = new Random64(5);
        var random = new Random(6);
        for (int round = 0; round < 20; round++)
        {
            float[] logits = [.. Enumerable.Range(0, 50257).Select(_ => MathF.Round(random.NextSingle() * 16, 2))]; // with many equal ones
            Assert.Equal(Plain(logits, options, draws.NextDouble()), sampler.Next(logits));
        }
    }

    private static int Plain(float[] logits, GenerationOptions options, double draw)
    {
        float max = logits.Max();
        (int Id, double P)[] ranked =
        [
            .. Enumerable.Range(0, logits.Length).OrderByDescending(id => logits[id]).ThenBy(id => id)
                .Take(options.TopK == 0 ? logits.Length : options.TopK)
                .Select(id => (id, (double)Exponential.Of((logits[id] - max) / options.Temperature))),
        ];
        double sum = ranked.Sum(token => token.P), nucleus = 0;
        ranked = [.. ranked.TakeWhile(token => (nucleus += token.P) - token.P < options.TopP * sum)];
        ranked = [.. ranked.Where(token => token.P >= options.MinP * ranked[0].P)];
        draw *= ranked.Sum(token => token.P);
        return ranked.SkipLast(1).FirstOrDefault(token => (draw -= token.P) < 0, ranked[^1]).Id;
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

using PicoGpt.Inference;
using PicoGpt.Numerics;
using Xunit;

namespace PicoGpt.Tests.Inference;

public sealed class SamplerTests
{
    private static readonly float[] Logits = [0f, 2f, 1f, 2f, -1f];

    [Fact]
    public void Greedy_takes_the_first_of_the_greatest() => Assert.Equal(1, new Sampler(new GenerationOptions(), 5).Next(Logits));

    [Theory]
    [InlineData(1)]
    [InlineData(511)]
    [InlineData(512)]
    [InlineData(513)]
    [InlineData(1024)]
    [InlineData(1500)]
    public void The_greatest_is_found_wherever_it_is_and_what_is_not_a_number_is_passed_over(int length)
    {
        for (int at = 0; at < length; at++)
        {
            float[] logits = new float[length];
            Array.Fill(logits, -2f);
            (logits[0], logits[length / 2], logits[^1]) = (float.NegativeInfinity, float.NaN, -1f);
            logits[at] = -1f;
            Assert.Equal(at, Sampler.ArgMax(logits));
        }
    }

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
    public void Top_p_that_is_reached_exactly_is_enough()
    {
        var sampler = new Sampler(new GenerationOptions { Temperature = 1, TopP = 0.5f, Seed = 6 }, 4);
        Assert.Equal([0, 1], Enumerable.Range(0, 200).Select(_ => sampler.Next(new float[4])).Distinct().Order()); // each of a quarter
    }

    [Fact]
    public void A_seed_draws_the_same_tokens_everywhere()
    {
        // Computed apart, from SplitMix64 and the race's definition: a change of either would change every seeded text.
        var sampler = new Sampler(new GenerationOptions { Temperature = 1, Seed = 42 }, 5);
        Assert.Equal([1, 1, 1, 1, 1, 3, 1, 3, 3, 3, 2, 3, 3, 2, 1, 4, 3, 1, 3, 1], Enumerable.Range(0, 20).Select(_ => sampler.Next(Logits)));
    }

    [Theory]
    [InlineData(1f, 0, 1f, 0f)]
    [InlineData(0.7f, 0, 0.9f, 0f)]
    [InlineData(1.5f, 40, 1f, 0f)]
    [InlineData(0.3f, 2000, 0.5f, 0f)]
    [InlineData(1f, 0, 1f, 0.05f)]
    [InlineData(2f, 500, 0.8f, 0.3f)]
    [InlineData(5f, 0, 0.999f, 0f)]
    public void What_is_drawn_is_what_the_plain_definition_draws_at_every_width(float temperature, int topK, float topP, float minP)
    {
        var options = new GenerationOptions { Temperature = temperature, TopK = topK, TopP = topP, MinP = minP, Seed = 5 };
        Sampler[] samplers = [.. Kernels.All.Select(kernels => new Sampler(options, 50257, kernels))];
        var draws = new Random64(5);
        var random = new Random(6);
        for (int round = 0; round < 20; round++)
        {
            float[] logits = [.. Enumerable.Range(0, 50257).Select(_ => MathF.Round(random.NextSingle() * 16, 2))]; // with many equal ones
            int expected = Plain(logits, options, draws.Next());
            Assert.All(samplers, sampler => Assert.Equal(expected, sampler.Next(logits)));
        }
    }

    // Of near probabilities the same draw takes the same token: what guesses of sampled text depend on.
    [Fact]
    public void A_draw_hardly_depends_on_small_errors_of_the_logits()
    {
        var options = new GenerationOptions { Temperature = 1, Seed = 8 };
        Sampler exact = new(options, 5000), rough = new(options, 5000);
        var random = new Random(9);
        float[] logits = [.. Enumerable.Range(0, 5000).Select(_ => random.NextSingle() * 4)];
        int same = 0;
        for (int i = 0; i < 1000; i++)
        {
            float[] near = [.. logits.Select(logit => logit + ((random.NextSingle() - 0.5f) * 0.02f))];
            if (exact.Next(logits) == rough.Next(near)) same++;
        }

        Assert.InRange(same, 970, 1000);
    }

    [Fact]
    public void What_has_no_probability_is_never_drawn_and_what_is_not_a_number_ends_as_greedy_text_does()
    {
        var sampler = new Sampler(new GenerationOptions { Temperature = 1, Seed = 1 }, 3);
        for (int i = 0; i < 1000; i++) Assert.Equal(1, sampler.Next([float.NegativeInfinity, -50f, float.NegativeInfinity]));
        Assert.Equal(0, sampler.Next([float.NaN, float.NaN, float.NaN]));
    }

    private static int Plain(float[] logits, GenerationOptions options, ulong race)
    {
        float max = logits.Max();
        double[] p = [.. logits.Select(logit => Math.Exp((logit - max) / options.Temperature))];
        double whole = p.Sum();
        (int Id, double P)[] ranked =
        [
            .. Enumerable.Range(0, logits.Length).OrderByDescending(id => logits[id]).ThenBy(id => id)
                .Take(options.TopK == 0 ? logits.Length : options.TopK)
                .Select(id => (id, p[id] / whole)),
        ];
        double sum = ranked.Sum(token => token.P), nucleus = 0;
        ranked = [.. ranked.TakeWhile(token => (nucleus += token.P) - token.P < options.TopP * sum)];
        ranked = [.. ranked.Where(token => token.P >= options.MinP * ranked[0].P)];
        return ranked.MinBy(token => -Math.Log(1 - Uniform(token.Id, race)) / token.P).Id;
    }

    private static double Uniform(int id, ulong race)
    {
        uint word = Mix(Mix((uint)id ^ (uint)race) ^ (uint)(race >> 32));
        return (word + 0.5) / Math.Pow(2, 32);

        static uint Mix(uint x)
        {
            x = (x ^ (x >> 16)) * 0x7FEB352D;
            x = (x ^ (x >> 15)) * 0x846CA68B;
            return x ^ (x >> 16);
        }
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

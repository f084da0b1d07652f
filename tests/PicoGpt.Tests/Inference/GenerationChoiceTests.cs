using PicoGpt.Inference;
using PicoGpt.Measuring;
using Xunit;

namespace PicoGpt.Tests.Inference;

/// <summary>Options that change what is chosen, or tell of it.</summary>
public sealed class GenerationChoiceTests : IDisposable
{
    private const string Loop = "the king and the queen and the king and the queen and the king";

    private readonly Gpt2Model _model = BuiltInModel.Open();

    public static TheoryData<GenerationOptions> Changing =>
    [
        new GenerationOptions { RepetitionPenalty = 1.3f },
        new GenerationOptions { PresencePenalty = 0.8f, FrequencyPenalty = 0.4f },
        new GenerationOptions { NoRepeatNgramSize = 3 },
        new GenerationOptions { LogitBias = new Dictionary<int, float> { [262] = 3, [11] = float.NegativeInfinity } },
        new GenerationOptions { Temperature = 0.9f, MinP = 0.1f, Seed = 3, FrequencyPenalty = 0.2f },
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _model.Dispose();

    [Theory]
    [MemberData(nameof(Changing))]
    public void Every_token_is_the_one_that_the_formulas_choose_with_guesses_without_and_in_a_batch(GenerationOptions options)
    {
        options = options with { MaxTokens = 60, IgnoreEndOfText = true };
        int[] expected = Plain(Loop, options);
        Assert.NotEqual(Plain(Loop, new GenerationOptions { MaxTokens = 60, IgnoreEndOfText = true }), expected);
        Assert.Equal(expected, Run(Loop, options).Ids);
        Assert.Equal(expected, Run(Loop, options with { Speculation = false }).Ids);
        using var batch = new BatchGenerator(_model, options, 3);
        foreach (string prompt in (string[])["Once", Loop, "A"]) batch.Add(prompt);
        Assert.Equal(expected, Drain(batch)[1].Ids);
    }

    [Fact]
    public void Records_of_tokens_are_what_a_measure_of_the_text_says()
    {
        GenerationOptions options = new() { MaxTokens = 25, TopLogProbs = 4, Temperature = 1.5f, Seed = 9, RepetitionPenalty = 1.2f, IgnoreEndOfText = true };
        Gpt2Completion completion = Run("The king", options);
        Assert.Equal(completion.Ids, completion.Tokens.Select(token => token.Id));
        Assert.Equal(Enumerable.Range(0, 25), completion.Tokens.Select(token => token.Index));
        using var context = new Gpt2Context(_model);
        ReadOnlySpan<float> logits = context.Forward([.. completion.PromptIds], Cancellation);
        foreach (GeneratedToken token in completion.Tokens)
        {
            var distribution = new TokenDistribution(logits);
            Assert.Equal(distribution.LogProbabilityOf(token.Id), token.LogProbability);
            Assert.Equal(distribution.RankOf(token.Id), token.Rank);
            Assert.Equal(distribution.Entropy, token.Entropy);
            Assert.Equal(distribution.Likeliest(4), token.Top.Select(top => top.Id));
            logits = context.Forward([token.Id], Cancellation);
        }

        string text = "Once upon a time";
        Gpt2Completion greedy = TextGeneration.Run(_model, text, new GenerationOptions { MaxTokens = 10, TopLogProbs = 2 }, Cancellation);
        Gpt2TextMeasure measure = TextMeasurer.Measure(_model, greedy.FullText, new MeasureOptions { NoStartToken = true, Top = 2 }, Cancellation);
        Assert.Equal(measure.Tokens.TakeLast(10).Select(token => token.LogProbability!.Value), greedy.Tokens.Select(token => token.LogProbability));
        Assert.Equal(measure.Tokens.TakeLast(10).Select(token => token.Text), greedy.Tokens.Select(token => token.Text));
        Assert.All(greedy.Tokens, token => Assert.Equal(1, token.Rank));
        Assert.Empty(Run("The king", options with { TopLogProbs = null }).Tokens);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(8)]
    public void Several_texts_of_a_prompt_read_it_once_and_each_has_the_seed_that_makes_it_alone(int batchSize)
    {
        string prompt = string.Concat(Enumerable.Repeat("the wolf and the seven kids ", 12));
        GenerationOptions options = new() { MaxTokens = 6, Temperature = 1, Count = 5, Seed = long.MaxValue - 1, IgnoreEndOfText = true, Speculation = false };
        using var batch = new BatchGenerator(_model, options, batchSize);
        batch.Add(prompt);
        Gpt2Completion[] completions = Drain(batch);
        Assert.Equal([long.MaxValue - 1, long.MaxValue, long.MinValue, long.MinValue + 1, long.MinValue + 2], completions.Select(c => c.Seed!.Value));
        Assert.Equal(5, completions.Select(c => c.Text).Distinct().Count());
        foreach (Gpt2Completion completion in completions)
            Assert.Equal(completion.Ids, Run(prompt, options with { Count = 1, Seed = completion.Seed }).Ids);
        Assert.InRange(batch.RowsRead, completions[0].PromptIds.Count, completions[0].PromptIds.Count + (5 * 7));
    }

    [Fact]
    public void Drawn_seeds_are_told_and_make_the_texts_again()
    {
        GenerationOptions options = new() { MaxTokens = 10, Temperature = 1, Count = 3 };
        using var batch = new BatchGenerator(_model, options);
        batch.Add("The king");
        foreach (Gpt2Completion completion in Drain(batch))
            Assert.Equal(completion.Ids, Run("The king", options with { Count = 1, Seed = completion.Seed }).Ids);
    }

    [Fact]
    public void A_prompt_can_be_given_as_ids()
    {
        Gpt2Completion expected = Run("Once upon a time", new GenerationOptions());
        var generation = new TextGeneration(_model, expected.PromptIds);
        Assert.Equal("Once upon a time", generation.Prompt);
        Assert.NotEmpty(generation.Stream(Cancellation).ToList());
        Assert.Equal(expected.Ids, generation.Completion.Ids);
        Assert.Equal("Once upon a time" + expected.Text, generation.Completion.FullText);
        using var batch = new BatchGenerator(_model);
        batch.Add(expected.PromptIds);
        batch.Add([]);
        Assert.Throws<ArgumentNullException>(() => batch.Add((int[])null!));
        Assert.Equal(Gpt2Error.InvalidToken, Assert.Throws<Gpt2Exception>(() => batch.Add([5, 2048])).Error);
        Assert.Equal(Gpt2Error.ContextExceeded, Assert.Throws<Gpt2Exception>(() => batch.Add(new int[257])).Error);
        Assert.Equal([expected.Text, Run("", new GenerationOptions()).Text], Drain(batch).Select(c => c.Text));
    }

    [Fact]
    public void One_generation_makes_one_text()
    {
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => new TextGeneration(_model, "A", new GenerationOptions { Count = 2, Temperature = 1 }));
        Assert.Contains("BatchGenerator", fault.Message, StringComparison.Ordinal);
    }

    private static Gpt2Completion[] Drain(BatchGenerator batch)
    {
        List<Gpt2Completion> completions = [];
        while (!batch.IsEmpty) completions.AddRange(batch.Advance(Cancellation));
        return [.. completions];
    }

    private Gpt2Completion Run(string prompt, GenerationOptions options) => TextGeneration.Run(_model, prompt, options, Cancellation);

    // Token by token, from the formulas; all but the draw itself, which SamplerTests hold.
    private int[] Plain(string prompt, GenerationOptions options)
    {
        int[] promptIds = _model.Encoder.Encode(prompt);
        List<int> ids = [.. promptIds];
        var sampler = new Sampler(options, _model.HyperParameters.NVocab);
        using var context = new Gpt2Context(_model, threads: 1);
        float[] logits = context.Forward(promptIds, Cancellation).ToArray();
        for (int i = 0; i < options.MaxTokens; i++)
        {
            foreach ((int id, float bias) in options.LogitBias) logits[id] += bias;
            foreach (int id in ids.Distinct()) logits[id] = logits[id] < 0 ? logits[id] * options.RepetitionPenalty : logits[id] / options.RepetitionPenalty;
            foreach (IGrouping<int, int> same in ids.Skip(promptIds.Length).GroupBy(id => id))
                logits[same.Key] -= (same.Count() * options.FrequencyPenalty) + options.PresencePenalty;
            int size = options.NoRepeatNgramSize;
            for (int start = 0; size > 0 && start + size <= ids.Count; start++)
            {
                if (ids.Skip(start).Take(size - 1).SequenceEqual(ids.TakeLast(size - 1))) logits[ids[start + size - 1]] = float.NegativeInfinity;
            }

            ids.Add(sampler.Next(logits));
            logits = context.Forward([ids[^1]], Cancellation).ToArray();
        }

        return [.. ids.Skip(promptIds.Length)];
    }
}

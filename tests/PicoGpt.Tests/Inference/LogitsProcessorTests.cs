using PicoGpt.Inference;
using Xunit;

namespace PicoGpt.Tests.Inference;

/// <summary>The numbers are worked out by hand from the formulas that the options name.</summary>
public sealed class LogitsProcessorTests
{
    private const float Never = float.NegativeInfinity;

    private static readonly float[] Logits = [3f, -2f, 0.5f, 0f, -1f];

    // the prompt 0 1, and what was generated: 1 2 2
    private static readonly int[] Ids = [0, 1, 1, 2, 2];

    [Fact]
    public void Without_options_the_logits_are_the_very_same()
    {
        Assert.True(Process(new GenerationOptions(), Ids) == Logits.AsSpan());
    }

    [Fact]
    public void The_repetition_penalty_divides_positive_and_multiplies_negative_logits_of_prompt_and_text_once() =>
        AssertProcessed([1.5f, -4f, 0.25f, 0f, -1f], new GenerationOptions { RepetitionPenalty = 2 });

    [Fact]
    public void The_presence_penalty_counts_what_was_generated_once() =>
        AssertProcessed([3f, -2.5f, 0f, 0f, -1f], new GenerationOptions { PresencePenalty = 0.5f });

    [Fact]
    public void The_frequency_penalty_counts_what_was_generated_as_often_as_it_was() =>
        AssertProcessed([3f, -2.25f, 0f, 0f, -1f], new GenerationOptions { FrequencyPenalty = 0.25f });

    [Fact]
    public void Penalties_follow_the_bias_and_each_other()
    {
        // 0: (3 - 4) · 2; 1: -2 · 2 - 0.25 - 0.5; 2: (0.5 + 1) / 2 - 2 · 0.25 - 0.5
        var options = new GenerationOptions
        {
            RepetitionPenalty = 2,
            PresencePenalty = 0.5f,
            FrequencyPenalty = 0.25f,
            LogitBias = new Dictionary<int, float> { [0] = -4, [2] = 1, [4] = 7 },
        };
        AssertProcessed([-2f, -4.75f, -0.25f, 0f, 6f], options);
    }

    [Theory]
    [InlineData(1, new[] { 0, 1, 2, 0 }, new[] { 0, 1, 2 })] // no token twice
    [InlineData(2, new[] { 0, 1, 2, 0 }, new[] { 1 })] // 0 was followed by 1
    [InlineData(3, new[] { 0, 1, 2, 0, 1 }, new[] { 2 })]
    [InlineData(3, new[] { 0, 1, 2, 0, 1, 3, 0, 1 }, new[] { 2, 3 })]
    [InlineData(2, new[] { 4, 4 }, new[] { 4 })]
    [InlineData(4, new[] { 0, 1, 2 }, new int[0])]
    [InlineData(5, new[] { 0, 1 }, new int[0])]
    public void No_sequence_of_so_many_tokens_comes_twice(int size, int[] ids, int[] forbidden)
    {
        float[] expected = [.. Logits.Select((logit, id) => forbidden.Contains(id) ? Never : logit)];
        Assert.Equal(expected, Process(new GenerationOptions { NoRepeatNgramSize = size }, ids).ToArray());
    }

    [Fact]
    public void A_growing_text_is_counted_on_and_another_from_the_start()
    {
        var options = new GenerationOptions { FrequencyPenalty = 1, RepetitionPenalty = 1.5f };
        var processor = new LogitsProcessor(options, Logits.Length, promptLength: 2);
        for (int length = 2; length <= Ids.Length; length++)
            Assert.Equal(Process(options, Ids[..length]).ToArray(), processor.Process(Logits, Ids.AsSpan(0, length)).ToArray());
        processor.Restart();
        Assert.Equal(Process(options, [3, 3, 4]).ToArray(), processor.Process(Logits, [3, 3, 4]).ToArray());
    }

    [Fact]
    public void That_no_token_is_left_is_told()
    {
        var options = new GenerationOptions { LogitBias = Enumerable.Range(0, 5).ToDictionary(id => id, _ => Never) };
        Assert.Equal(Gpt2Error.InvalidArgument, Assert.Throws<Gpt2Exception>(() => Process(options, Ids).Length).Error);
    }

    private static void AssertProcessed(float[] expected, GenerationOptions options) => Assert.Equal(expected, Process(options, Ids).ToArray());

    private static ReadOnlySpan<float> Process(GenerationOptions options, int[] ids) =>
        new LogitsProcessor(options, Logits.Length, promptLength: 2).Process(Logits, ids);
}

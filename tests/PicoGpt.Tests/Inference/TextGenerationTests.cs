using System.Text.Json;
using PicoGpt.Inference;
using Xunit;

namespace PicoGpt.Tests.Inference;

public sealed class TextGenerationTests : IDisposable
{
    private readonly Gpt2Model _model = BuiltInModel.Open();

    public static TheoryData<int> References => [.. Enumerable.Range(0, BuiltInModel.Reference.GetProperty("greedy").GetArrayLength())];

    public void Dispose() => _model.Dispose();

    [Theory]
    [MemberData(nameof(References))]
    public void Greedy_text_is_the_independently_computed_one(int index)
    {
        JsonElement reference = BuiltInModel.Reference.GetProperty("greedy")[index];
        Gpt2Completion completion = TextGeneration.Run(
            _model, reference.GetProperty("prompt").GetString()!, new GenerationOptions { IgnoreEndOfText = true });
        Assert.Equal(reference.Ints("prompt_ids"), completion.PromptIds);
        Assert.Equal(reference.Ints("new_ids"), completion.Ids);
        Assert.Equal(reference.GetProperty("text").GetString(), completion.Text);
        Assert.Equal(FinishReason.MaxTokens, completion.FinishReason);
        Assert.Null(completion.Seed);
    }

    [Fact]
    public void Streamed_pieces_are_whole_characters_and_make_the_text()
    {
        var generation = new TextGeneration(_model, "Once upon a time");
        List<string> pieces = [.. generation.Stream()];
        Assert.True(pieces.Count > 10);
        Assert.Equal(generation.Completion.Text, string.Concat(pieces));
        Assert.DoesNotContain(pieces, piece => piece.Contains('\ufffd', StringComparison.Ordinal));
    }

    [Fact]
    public void An_empty_prompt_starts_from_the_end_of_text()
    {
        Gpt2Completion completion = TextGeneration.Run(_model, "", new GenerationOptions { MaxTokens = 3 });
        Assert.Equal([2047], completion.PromptIds);
        Assert.Equal(3, completion.Ids.Count);
    }

    [Fact]
    public void No_token_is_made_where_none_is_asked_for()
    {
        Gpt2Completion completion = TextGeneration.Run(_model, "Once", new GenerationOptions { MaxTokens = 0 });
        Assert.Empty(completion.Ids);
        Assert.Equal("", completion.Text);
        Assert.Equal(FinishReason.MaxTokens, completion.FinishReason);
    }

    [Fact]
    public void The_text_ends_before_a_stop_string_that_spans_tokens()
    {
        string whole = TextGeneration.Run(_model, "Once upon a time").Text; // ", and the king's son was so much pleased …"
        string stop = "king's so";
        Gpt2Completion completion = TextGeneration.Run(_model, "Once upon a time", new GenerationOptions { Stop = ["no such text", stop] });
        Assert.Equal(whole[..whole.IndexOf(stop, StringComparison.Ordinal)], completion.Text);
        Assert.Equal(FinishReason.Stop, completion.FinishReason);
    }

    [Fact]
    public void The_end_of_text_ends_the_text_unless_ignored()
    {
        // Hot enough that every token comes soon.
        GenerationOptions options = new() { MaxTokens = 250, Temperature = 50, Seed = SeedThatSaysEndOfText() };
        Gpt2Completion completion = TextGeneration.Run(_model, "A", options);
        Assert.Equal(FinishReason.EndOfText, completion.FinishReason);
        Assert.DoesNotContain(2047, completion.Ids);
        Gpt2Completion ignoring = TextGeneration.Run(_model, "A", options with { IgnoreEndOfText = true });
        Assert.Contains(2047, ignoring.Ids);
        Assert.Equal(completion.Ids, ignoring.Ids.Take(completion.Ids.Count));
    }

    [Fact]
    public void The_same_seed_gives_the_same_text_and_the_completion_tells_it()
    {
        GenerationOptions options = new() { Temperature = 1, TopK = 40, Seed = 7 };
        Gpt2Completion first = TextGeneration.Run(_model, "The king", options);
        Assert.Equal(first.Ids, TextGeneration.Run(_model, "The king", options with { Threads = 1 }).Ids);
        Assert.NotEqual(first.Ids, TextGeneration.Run(_model, "The king", options with { Seed = 8 }).Ids);
        Gpt2Completion drawn = TextGeneration.Run(_model, "The king", options with { Seed = null });
        Assert.Equal(drawn.Ids, TextGeneration.Run(_model, "The king", options with { Seed = drawn.Seed }).Ids);
    }

    [Fact]
    public void A_full_context_ends_the_text_with_length()
    {
        Gpt2Completion completion = TextGeneration.Run(_model, "Once upon a time", new GenerationOptions { MaxTokens = 1000, IgnoreEndOfText = true });
        Assert.Equal(FinishReason.Length, completion.FinishReason);
        Assert.Equal(256 + 1, completion.PromptIds.Count + completion.Ids.Count); // the last token need not be read
    }

    [Fact]
    public void A_sliding_context_goes_on_from_its_last_half()
    {
        GenerationOptions options = new() { MaxTokens = 300, IgnoreEndOfText = true, Overflow = ContextOverflow.Slide };
        Gpt2Completion completion = TextGeneration.Run(_model, "Once upon a time", options);
        Assert.Equal(300, completion.Ids.Count);
        Assert.Equal(FinishReason.MaxTokens, completion.FinishReason);

        // The first token after the slide is what a fresh context says after the last half.
        int[] all = [.. completion.PromptIds, .. completion.Ids];
        using var context = new Gpt2Context(_model);
        Assert.Equal(all[257], Sampler.ArgMax(context.Forward(all.AsSpan(257 - 128, 128))));
    }

    [Fact]
    public void A_prompt_longer_than_the_context_is_refused_with_both_numbers()
    {
        string prompt = string.Concat(Enumerable.Repeat("a ", 300));
        int count = _model.Encoder.Encode(prompt).Length;
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => new TextGeneration(_model, prompt));
        Assert.Equal(Gpt2Error.ContextExceeded, fault.Error);
        Assert.Contains($"{count} tokens", fault.Message, StringComparison.Ordinal);
        Assert.Contains("256", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Cancellation_ends_the_text_within_a_token()
    {
        using var stop = new CancellationTokenSource();
        var generation = new TextGeneration(_model, "Once upon a time", new GenerationOptions { MaxTokens = 200 });
        int pieces = 0;
        Assert.Throws<OperationCanceledException>(() =>
        {
            foreach (string _ in generation.Stream(stop.Token))
            {
                if (++pieces == 3) stop.Cancel();
            }
        });
        Assert.Equal(3, pieces);
        Assert.Equal(FinishReason.Cancelled, generation.Completion.FinishReason);
    }

    [Theory]
    [InlineData("Once upon a time")]
    [InlineData("the king and the queen and the king and the queen and the king")]
    [InlineData("")]
    public void Speculation_saves_reads_and_changes_no_token(string prompt)
    {
        GenerationOptions options = new() { MaxTokens = 240, IgnoreEndOfText = true, Overflow = ContextOverflow.Slide };
        Gpt2Completion plain = TextGeneration.Run(_model, prompt, options with { Speculation = false });
        Gpt2Completion speculated = TextGeneration.Run(_model, prompt, options);
        Assert.Equal(plain.Ids, speculated.Ids);
        Assert.Equal(plain.Text, speculated.Text);
        Assert.Equal(0, plain.SpeculatedTokens);
        Assert.True(speculated.SpeculatedTokens > 20, $"{speculated.SpeculatedTokens} tokens saved");
    }

    [Fact]
    public void Speculation_stops_where_the_text_stops()
    {
        foreach (int count in Enumerable.Range(1, 60))
        {
            GenerationOptions options = new() { MaxTokens = count, IgnoreEndOfText = true };
            Assert.Equal(count, TextGeneration.Run(_model, "the king and the queen and the king and the queen", options).Ids.Count);
        }
    }

    [Fact]
    public void No_thread_is_left_when_a_generation_ends_or_is_abandoned()
    {
        int Workers() => System.Diagnostics.Process.GetCurrentProcess().Threads.Count;
        TextGeneration.Run(_model, "Once", new GenerationOptions { Threads = 16, MaxTokens = 2 });
        int before = Workers();
        for (int i = 0; i < 5; i++)
        {
            TextGeneration.Run(_model, "Once", new GenerationOptions { Threads = 16, MaxTokens = 2 });
            Assert.NotEmpty(new TextGeneration(_model, "Once", new GenerationOptions { Threads = 16 }).Stream().First());
        }

        // Other tests run beside this one, hence the margin; leaked workers would be 150.
        Assert.True(Workers() < before + 75, $"{before} threads before, {Workers()} after");
    }

    [Theory]
    [MemberData(nameof(BadOptions))]
    public void An_option_outside_its_range_is_refused_by_name(GenerationOptions options, string name)
    {
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => new TextGeneration(_model, "Once", options));
        Assert.Equal(Gpt2Error.InvalidArgument, fault.Error);
        Assert.Contains(name, fault.Message, StringComparison.Ordinal);
    }

    public static TheoryData<GenerationOptions, string> BadOptions => new()
    {
        { new GenerationOptions { MaxTokens = -1 }, "MaxTokens" },
        { new GenerationOptions { Temperature = -0.1f }, "Temperature" },
        { new GenerationOptions { Temperature = float.NaN }, "Temperature" },
        { new GenerationOptions { TopK = -1 }, "TopK" },
        { new GenerationOptions { TopP = 0 }, "TopP" },
        { new GenerationOptions { TopP = 1.5f }, "TopP" },
        { new GenerationOptions { Threads = -1 }, "Threads" },
        { new GenerationOptions { Stop = [""] }, "stop string" },
        { new GenerationOptions { MinP = -0.1f }, "MinP" },
        { new GenerationOptions { MinP = float.NaN }, "MinP" },
        { new GenerationOptions { RepetitionPenalty = 0 }, "RepetitionPenalty" },
        { new GenerationOptions { PresencePenalty = float.NaN }, "PresencePenalty" },
        { new GenerationOptions { FrequencyPenalty = float.PositiveInfinity }, "FrequencyPenalty" },
        { new GenerationOptions { NoRepeatNgramSize = -1 }, "NoRepeatNgramSize" },
        { new GenerationOptions { LogitBias = new Dictionary<int, float> { [2048] = 1 } }, "LogitBias has the id 2048" },
        { new GenerationOptions { LogitBias = new Dictionary<int, float> { [7] = float.NaN } }, "LogitBias" },
        { new GenerationOptions { TopLogProbs = 2049 }, "TopLogProbs" },
        { new GenerationOptions { Count = 0 }, "Count" },
        { new GenerationOptions { Count = 2 }, "give a Temperature" },
        { new GenerationOptions { Beams = 0 }, "Beams" },
        { new GenerationOptions { Beams = 65 }, "Beams" },
        { new GenerationOptions { Beams = 2, Count = 3 }, "Count" },
        { new GenerationOptions { Beams = 2, Temperature = 1 }, "does not sample" },
        { new GenerationOptions { Beams = 2, Overflow = ContextOverflow.Slide }, "slide" },
        { new GenerationOptions { LengthPenalty = 2 }, "LengthPenalty" },
        { new GenerationOptions { EarlyStopping = BeamStopping.Never }, "EarlyStopping" },
        { new GenerationOptions { Beams = 2, LengthPenalty = float.NaN }, "LengthPenalty" },
    };

    private long SeedThatSaysEndOfText()
    {
        for (long seed = 0; seed < 200; seed++)
        {
            GenerationOptions options = new() { MaxTokens = 250, Temperature = 50, Seed = seed, IgnoreEndOfText = true };
            if (TextGeneration.Run(_model, "A", options).Ids.Contains(2047)) return seed;
        }

        throw new InvalidOperationException("No seed says <|endoftext|>.");
    }
}

using PicoGpt.Architecture;
using PicoGpt.Inference;
using Xunit;

namespace PicoGpt.Tests.Inference;

public sealed class BatchGeneratorTests : IDisposable
{
    private static readonly string[] Prompts =
    [
        "Once upon a time", "The king", "", "Once upon a time there was a queen who had", "Once upon a time there was a fox", "A",
        string.Concat(Enumerable.Repeat("the wolf and the seven kids ", 20)), "!?", "In the forest", "The king", "naïve ☃️",
    ];

    private readonly Gpt2Model _model = BuiltInModel.Open();

    public void Dispose() => _model.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(32)]
    public void Every_completion_is_that_of_its_prompt_alone_and_they_come_in_order(int batchSize)
    {
        GenerationOptions options = new() { MaxTokens = 30, Stop = ["fox"] };
        List<Gpt2Completion> batch = Run(Prompts, options, batchSize);
        Assert.Equal(Prompts, batch.Select(c => c.Prompt));
        foreach (Gpt2Completion completion in batch)
        {
            Gpt2Completion alone = TextGeneration.Run(_model, completion.Prompt, options);
            Assert.Equal(alone.Ids, completion.Ids);
            Assert.Equal(alone.Text, completion.Text);
            Assert.Equal(alone.FinishReason, completion.FinishReason);
        }
    }

    [Fact]
    public void Sampled_texts_are_the_same_in_a_batch_which_needs_the_same_bits()
    {
        GenerationOptions options = new() { MaxTokens = 40, Temperature = 1.2f, TopP = 0.95f, Seed = 5 };
        foreach (Gpt2Completion completion in Run(Prompts, options, 8))
            Assert.Equal(TextGeneration.Run(_model, completion.Prompt, options).Ids, completion.Ids);
    }

    [Theory]
    [InlineData(ContextOverflow.Stop)]
    [InlineData(ContextOverflow.Slide)]
    public void A_full_context_ends_or_slides_as_alone(ContextOverflow overflow)
    {
        GenerationOptions options = new() { MaxTokens = 270, IgnoreEndOfText = true, Overflow = overflow };
        foreach (Gpt2Completion completion in Run(Prompts[..4], options, 4))
        {
            Gpt2Completion alone = TextGeneration.Run(_model, completion.Prompt, options);
            Assert.Equal(alone.Ids, completion.Ids);
            Assert.Equal(alone.FinishReason, completion.FinishReason);
        }
    }

    [Fact]
    public void A_prompt_that_does_not_fit_is_refused_and_the_batch_goes_on()
    {
        using var generator = new BatchGenerator(_model, new GenerationOptions { MaxTokens = 2 });
        generator.Add("Once");
        Assert.Throws<Gpt2Exception>(() => generator.Add(string.Concat(Enumerable.Repeat("a ", 400))));
        generator.Add("The king");
        Assert.Equal(["Once", "The king"], Drain(generator).Select(c => c.Prompt));
    }

    [Fact]
    public void No_token_asked_for_is_no_token_made()
    {
        List<Gpt2Completion> batch = Run(["a", "b"], new GenerationOptions { MaxTokens = 0 }, 2);
        Assert.All(batch, completion => Assert.Empty(completion.Ids));
    }

    [Fact]
    public void Cancellation_stops_the_batch()
    {
        using var generator = new BatchGenerator(_model);
        generator.Add("Once");
        Assert.Throws<OperationCanceledException>(() => generator.Advance(new CancellationToken(canceled: true)));
    }

    [Fact]
    public void A_cancelled_step_can_be_made_again_and_what_there_is_can_be_had()
    {
        GenerationOptions options = new() { MaxTokens = 20 };
        List<Gpt2Completion> expected = Run(Prompts[..3], options, 3);
        using var generator = new BatchGenerator(_model, options, 3);
        foreach (string prompt in Prompts[..3]) generator.Add(prompt);
        for (int i = 0; i < 5; i++) generator.Advance();
        Assert.Throws<OperationCanceledException>(() => generator.Advance(new CancellationToken(canceled: true)));
        generator.Advance();
        IReadOnlyList<Gpt2Completion> partial = generator.Cancel();
        Assert.Equal(Prompts[..3], partial.Select(c => c.Prompt));
        for (int i = 0; i < partial.Count; i++)
        {
            Assert.Equal(FinishReason.Cancelled, partial[i].FinishReason);
            Assert.InRange(partial[i].Ids.Count, 6, 19);
            Assert.Equal(expected[i].Ids.Take(partial[i].Ids.Count), partial[i].Ids);
            Assert.StartsWith(partial[i].Text, expected[i].Text, StringComparison.Ordinal);
        }

        Assert.True(generator.IsEmpty);
        generator.Add(Prompts[0]);
        Assert.Equal(expected[0].Ids, Assert.Single(Drain(generator)).Ids);
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(0.4f)]
    public void Guesses_serve_a_batch_and_sampled_text_too_and_change_no_token(float temperature)
    {
        string[] prompts = ["the king and the queen and the king and the queen and the king", "The wolf", "a, b, a, b, a, b, a, b, a,", "A"];
        GenerationOptions options = new() { MaxTokens = 150, IgnoreEndOfText = true, Temperature = temperature, Seed = 11, Overflow = ContextOverflow.Slide };
        List<Gpt2Completion> guessed = Run(prompts, options with { AlwaysShadow = true }, 3), plain = Run(prompts, options with { Speculation = false }, 3);
        for (int i = 0; i < prompts.Length; i++)
        {
            Gpt2Completion alone = TextGeneration.Run(_model, prompts[i], options);
            Assert.Equal(plain[i].Ids, guessed[i].Ids);
            Assert.Equal(plain[i].Ids, alone.Ids);
            Assert.Equal(plain[i].Text, guessed[i].Text);
        }

        Assert.All(plain, completion => Assert.Equal(0, completion.SpeculatedTokens));
        Assert.True(guessed.Sum(completion => completion.ShadowAccepted) > 20);
        Assert.True(temperature > 0 || guessed.Sum(completion => completion.LookupAccepted) > 20);
    }

    [Fact]
    public void A_fault_of_one_text_ends_that_text_and_costs_no_other()
    {
        GenerationOptions options = new() { MaxTokens = 20, Speculation = false, AlwaysShadow = true };
        string[] prompts = ["Once upon a time", "The king", "In the forest", "A"];
        List<Gpt2Completion> expected = Run(prompts, options, 4);
        using var generator = new BatchGenerator(_model, options, 4);
        IDraft?[] drafts = [null, new Saboteur(() => throw new Gpt2Exception(Gpt2Error.InvalidToken, "sabotage")), new Saboteur(() => [99_999]), null];
        for (int i = 0; i < prompts.Length; i++) generator.Add(new StepwiseText(_model, Prompt.Of(_model, prompts[i]), options, drafts[i]));
        List<Gpt2Completion> actual = Drain(generator);
        Assert.Equal(prompts, actual.Select(c => c.Prompt));
        foreach (int i in (int[])[0, 3])
        {
            Assert.Null(actual[i].Fault);
            Assert.Equal(expected[i].Ids, actual[i].Ids);
        }

        foreach (int i in (int[])[1, 2])
        {
            Assert.Equal(FinishReason.Fault, actual[i].FinishReason);
            Assert.Equal(Gpt2Error.InvalidToken, Assert.IsType<Gpt2Exception>(actual[i].Fault).Error);
            Assert.Equal(expected[i].Ids.Take(Saboteur.Patience), actual[i].Ids);
            Assert.Equal(_model.Encoder.Decode(actual[i].Ids), actual[i].Text);
        }
    }

    [Fact]
    public void A_generation_that_a_fault_ends_throws_it_and_keeps_the_text_so_far()
    {
        using TemporaryFolder folder = RandomModel.InFolder(new Gpt2HyperParameters(NVocab: 300, NCtx: 64, NEmbd: 16, NHead: 2, NLayer: 1));
        using Gpt2Model model = Gpt2Model.Open(folder.Path);
        using var batch = new BatchGenerator(model, new GenerationOptions { MaxTokens = 20 }, 1);
        batch.Add(new StepwiseText(model, Prompt.Of(model, "ab"), new GenerationOptions { MaxTokens = 20 }, new Saboteur(() => [300])));
        Gpt2Completion completion = Assert.Single(Drain(batch));
        Assert.Contains("300", completion.Fault!.Message, StringComparison.Ordinal);
        Assert.Equal(Saboteur.Patience, completion.Ids.Count);
    }

    [Fact]
    public void Ids_of_a_padded_vocabulary_are_never_chosen()
    {
        const int Padded = 40;
        using TemporaryFolder folder = RandomModel.InFolder(new Gpt2HyperParameters(NVocab: 300, NCtx: 64, NEmbd: 16, NHead: 2, NLayer: 1));
        string file = folder.File("encoder.json");
        Dictionary<string, int> ids = System.Text.Json.JsonSerializer.Deserialize<Dictionary<string, int>>(File.ReadAllText(file))!;
        string vocabulary = System.Text.Json.JsonSerializer.Serialize(ids.Where(pair => pair.Value < 300 - Padded).ToDictionary());
        File.WriteAllText(file, vocabulary);
        using Gpt2Model model = Gpt2Model.Open(folder.Path);
        GenerationOptions options = new() { MaxTokens = 60, Temperature = 50, Seed = 3 };
        Gpt2Completion completion = TextGeneration.Run(model, "ab", options, TestContext.Current.CancellationToken);
        Assert.Equal(60, completion.Ids.Count);
        Assert.DoesNotContain(completion.Ids, id => id >= 300 - Padded);
        Assert.Equal(model.Encoder.Decode(completion.Ids), completion.Text);
        Gpt2Completion beam = TextGeneration.Run(model, "ab", new GenerationOptions { MaxTokens = 20, Beams = 3 }, TestContext.Current.CancellationToken);
        Assert.DoesNotContain(beam.Ids, id => id >= 300 - Padded);
    }

    [Fact]
    public void What_prompts_begin_with_in_common_is_read_once()
    {
        string beginning = string.Concat(Enumerable.Repeat("the wolf and the seven kids ", 10));
        int shared = _model.Encoder.Encode(beginning).Length;
        string[] prompts = [.. Enumerable.Range(0, 6).Select(i => beginning + (char)('A' + i))];
        GenerationOptions options = new() { MaxTokens = 5, IgnoreEndOfText = true, Speculation = false };
        foreach (int batchSize in (int[])[1, 3, 6])
        {
            using var generator = new BatchGenerator(_model, options, batchSize);
            foreach (string prompt in prompts) generator.Add(prompt);
            List<Gpt2Completion> completions = Drain(generator);
            Assert.InRange(generator.RowsRead, shared, shared + (prompts.Length * 10));
            foreach (Gpt2Completion completion in completions) Assert.Equal(TextGeneration.Run(_model, completion.Prompt, options).Ids, completion.Ids);
        }
    }

    private static List<Gpt2Completion> Drain(BatchGenerator generator)
    {
        List<Gpt2Completion> completions = [];
        while (!generator.IsEmpty) completions.AddRange(generator.Advance());
        return completions;
    }

    private List<Gpt2Completion> Run(string[] prompts, GenerationOptions options, int batchSize)
    {
        using var generator = new BatchGenerator(_model, options, batchSize);
        List<Gpt2Completion> completions = [];
        foreach (string prompt in prompts)
        {
            while (generator.IsFull) completions.AddRange(generator.Advance());
            generator.Add(prompt);
        }

        completions.AddRange(Drain(generator));
        return completions;
    }

    /// <summary>Guesses nothing for a while, and then something bad.</summary>
    private sealed class Saboteur(Func<int[]> guess) : IDraft
    {
        public const int Patience = 4;

        private int _calls;

        public int Proven => 1;

        public ReadOnlySpan<int> Guess(ReadOnlySpan<int> text, int max) => ++_calls < Patience ? [] : guess();

        public double Rightness(int index) => 1;

        public void Learn(ReadOnlySpan<int> came)
        {
        }
    }
}

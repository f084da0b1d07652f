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
}

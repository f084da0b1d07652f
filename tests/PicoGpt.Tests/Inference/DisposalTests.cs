using PicoGpt.Inference;
using PicoGpt.Numerics;
using Xunit;

namespace PicoGpt.Tests.Inference;

public sealed class DisposalTests
{
    private const string Prompt = "Once upon a time";

    private static readonly GenerationOptions Options = new() { MaxTokens = 12, Threads = 1 };

    [Fact]
    public async Task A_model_disposed_of_while_texts_are_generated_gives_right_texts_or_says_that_it_is_closed()
    {
        string expected;
        using (Gpt2Model model = BuiltInModel.Open()) expected = TextGeneration.Run(model, Prompt, Options).Text;

        var random = new Random64(3);
        int right = 0, closed = 0;
        for (int round = 0; round < 40; round++)
        {
            Gpt2Model model = BuiltInModel.Open();
            Task<string?>[] texts = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(() => Generate(model)))];
            await Task.Delay((int)(random.NextDouble() * 40), TestContext.Current.CancellationToken);
            model.Dispose();
            foreach (string? text in await Task.WhenAll(texts))
            {
                if (text is null) closed++;
                else right++;
                Assert.Equal(expected, text ?? expected);
            }
        }

        Assert.True(right > 0 && closed > 0, $"{right} right and {closed} closed: the delays meet only one of the two.");
    }

    [Fact]
    public void Cancelling_at_random_moments_spoils_no_later_text()
    {
        using Gpt2Model model = BuiltInModel.Open();
        string expected = TextGeneration.Run(model, Prompt, Options).Text;
        var random = new Random64(4);
        int cancelled = 0;
        for (int round = 0; round < 60; round++)
        {
            using var cancellation = new CancellationTokenSource(TimeSpan.FromMilliseconds(random.NextDouble() * 30));
            try
            {
                Assert.Equal(expected, TextGeneration.Run(model, Prompt, Options, cancellation.Token).Text);
            }
            catch (OperationCanceledException)
            {
                cancelled++;
            }
        }

        Assert.True(cancelled > 0, "No round was cancelled.");
        Assert.Equal(expected, TextGeneration.Run(model, Prompt, Options).Text);
    }

    private static string? Generate(Gpt2Model model)
    {
        try
        {
            return TextGeneration.Run(model, Prompt, Options).Text;
        }
        catch (ObjectDisposedException)
        {
            return null;
        }
    }
}

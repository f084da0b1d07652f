using PicoGpt.Inference;
using Xunit;

namespace PicoGpt.Tests.Inference;

/// <summary>What ends while texts are generated. The moments are counted in pieces of text, which takes no clock to meet.</summary>
public sealed class DisposalTests
{
    private const string Prompt = "Once upon a time";

    private static readonly GenerationOptions Options = new() { MaxTokens = 12, Threads = 1 };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Gpt2Precision.Float32, false)]
    [InlineData(Gpt2Precision.Float32, true)]
    [InlineData(Gpt2Precision.Int8, false)]
    [InlineData(Gpt2Precision.Int8, true)]
    public async Task A_model_disposed_of_while_texts_are_generated_gives_right_texts_or_says_that_it_is_closed(Gpt2Precision precision, bool resident)
    {
        const int Texts = 4;
        string[] expected;
        using (Gpt2Model model = BuiltInModel.Open()) expected = [.. new TextGeneration(model.WithPrecision(precision), Prompt, Options).Stream(Cancellation)];

        var random = new Random(3);
        int all = Texts * expected.Length, right = 0, closed = 0;
        foreach (int moment in (int[])[0, all, .. Enumerable.Range(0, 40).Select(_ => random.Next(all))])
        {
            Gpt2Model model = BuiltInModel.Open();
            using var pieces = new SemaphoreSlim(0);
            if (moment == 0) model.Dispose();
            Task<string?>[] texts = [.. Enumerable.Range(0, Texts).Select(_ => Task.Run(() => Generate(model.WithPrecision(precision), pieces, resident), Cancellation))];
            for (int piece = 0; piece < moment; piece++) await pieces.WaitAsync(Cancellation);
            model.Dispose();
            foreach (string? text in await Task.WhenAll(texts))
            {
                if (text is null) closed++;
                else right++;
                Assert.Equal(string.Concat(expected), text ?? string.Concat(expected));
            }
        }

        Assert.True(right >= Texts && closed >= Texts, $"{right} right and {closed} closed.");
    }

    [Fact]
    public async Task Cancelling_at_random_moments_spoils_no_later_text()
    {
        using Gpt2Model model = BuiltInModel.Open();
        string expected = TextGeneration.Run(model, Prompt, Options, Cancellation).Text;
        GenerationOptions forEver = Options with { MaxTokens = int.MaxValue, Overflow = ContextOverflow.Slide, IgnoreEndOfText = true };
        var random = new Random(4);
        for (int round = 0; round < 60; round++)
        {
            int moment = random.Next(expected.Length), within = random.Next(20_000);
            using var pieces = new SemaphoreSlim(0);
            using var cancellation = new CancellationTokenSource();
            var generation = new TextGeneration(model, Prompt, forEver);
            Task text = Task.Run(() => Drain(generation, pieces, cancellation.Token), Cancellation);
            for (int piece = 0; piece < moment; piece++) await pieces.WaitAsync(Cancellation);
            Thread.SpinWait(within);
            await cancellation.CancelAsync();
            await Assert.ThrowsAsync<OperationCanceledException>(() => text);
            int common = Math.Min(expected.Length, generation.Completion.Text.Length);
            Assert.Equal(expected[..common], generation.Completion.Text[..common]);
        }

        Assert.Equal(expected, TextGeneration.Run(model, Prompt, Options, Cancellation).Text);
    }

    private static string? Generate(Gpt2Model model, SemaphoreSlim pieces, bool resident)
    {
        try
        {
            var generation = new TextGeneration(model, Prompt, Options with { Resident = resident });
            Drain(generation, pieces, Cancellation);
            return generation.Completion.Text;
        }
        catch (ObjectDisposedException)
        {
            return null;
        }
    }

    private static void Drain(TextGeneration generation, SemaphoreSlim pieces, CancellationToken cancellationToken)
    {
        try
        {
            foreach (string _ in generation.Stream(cancellationToken)) pieces.Release();
        }
        catch
        {
            pieces.Release(1000); // whoever counts them is not to wait for what will not come
            throw;
        }
    }
}

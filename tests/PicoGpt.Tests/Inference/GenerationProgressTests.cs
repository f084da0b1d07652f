using PicoGpt.Architecture;
using PicoGpt.Inference;
using Xunit;

namespace PicoGpt.Tests.Inference;

public sealed class GenerationProgressTests
{
    [Fact]
    public void A_long_prompt_is_told_of_portion_by_portion_and_then_every_step()
    {
        using TemporaryFolder folder = RandomModel.InFolder(new Gpt2HyperParameters(400, 700, 64, 1, 1));
        using Gpt2Model model = Gpt2Model.Open(folder.Path);
        List<GenerationProgress> told = [];
        string prompt = string.Concat(Enumerable.Repeat("\u0001", 600));
        int tokens = model.Encoder.Encode(prompt).Length;
        var options = new GenerationOptions { MaxTokens = 5, Speculation = false, IgnoreEndOfText = true };
        var generation = new TextGeneration(model, prompt, options) { Progress = told.Add };
        Assert.NotEmpty(generation.Stream(TestContext.Current.CancellationToken).ToList());
        Assert.Equal(tokens, told[0].PromptTokens);
        int portions = (tokens + 255) / 256;
        Assert.Equal([.. Enumerable.Range(1, portions).Select(i => Math.Min(tokens, 256 * i))], told.Take(portions).Select(p => p.PromptTokensRead));
        Assert.Equal([1, 2, 3, 4], told.Skip(portions).Select(p => p.NewTokens));
        Assert.Null(told[0].TimeLeft);
        Assert.NotNull(told[^1].TimeLeft);
    }
}

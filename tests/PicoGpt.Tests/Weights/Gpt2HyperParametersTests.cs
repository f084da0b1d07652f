using PicoGpt.Architecture;
using Xunit;

namespace PicoGpt.Tests.Weights;

public sealed class Gpt2HyperParametersTests
{
    [Theory]
    [InlineData(12, 12, 768, 124_439_808)]
    [InlineData(24, 16, 1024, 354_823_168)]
    [InlineData(36, 20, 1280, 774_030_080)]
    [InlineData(48, 25, 1600, 1_557_611_200)]
    public void Parameter_counts_are_those_of_the_published_models(int layers, int heads, int width, long count)
    {
        var h = new Gpt2HyperParameters(50257, 1024, width, heads, layers);
        Assert.Equal(count, h.ParameterCount);
        Assert.Equal(64, h.HeadSize);
    }

    [Theory]
    [InlineData("{\"n_vocab\": 1", Gpt2Error.NotAFormat, "JSON")]
    [InlineData("[]", Gpt2Error.NotAFormat, "n_vocab")]
    [InlineData("{\"n_vocab\": 300, \"n_ctx\": 32, \"n_embd\": 64, \"n_head\": 1}", Gpt2Error.NotAFormat, "n_layer")]
    [InlineData("{\"n_vocab\": 300, \"n_ctx\": 32, \"n_embd\": 64.5, \"n_head\": 1, \"n_layer\": 2}", Gpt2Error.NotAFormat, "n_embd")]
    [InlineData("{\"n_vocab\": 300, \"n_ctx\": 32, \"n_embd\": 64, \"n_head\": 0, \"n_layer\": 2}", Gpt2Error.Corrupt, "n_head = 0")]
    [InlineData("{\"n_vocab\": 300, \"n_ctx\": 32, \"n_embd\": 64, \"n_head\": 5, \"n_layer\": 2}", Gpt2Error.Corrupt, "multiple")]
    [InlineData("{\"n_vocab\": 300, \"n_ctx\": 32, \"n_embd\": 64, \"n_head\": 1, \"n_layer\": 16777216}", Gpt2Error.Corrupt, "n_layer = 16777216")]
    [InlineData("{\"n_v\\ud800cab\": 300}", Gpt2Error.NotAFormat, "is not valid JSON")]
    [InlineData("{\"n_vocab\": 2000000000, \"n_ctx\": 32, \"n_embd\": 64, \"n_head\": 1, \"n_layer\": 2}", Gpt2Error.Corrupt, "n_vocab")]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 90\n", Gpt2Error.LfsPointer, "git lfs pull")]
    [InlineData("<!DOCTYPE html><html>404</html>", Gpt2Error.ErrorBody, "404")]
    public void A_bad_file_is_refused_with_what_is_wrong(string content, Gpt2Error error, string word)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("hparams.json"), content);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Gpt2HyperParameters.Load(folder.File("hparams.json")));
        Assert.Equal(error, fault.Error);
        Assert.Equal(folder.File("hparams.json"), fault.Path);
        Assert.Contains(word, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_saved_loads_again()
    {
        using var folder = new TemporaryFolder();
        var h = new Gpt2HyperParameters(300, 32, 64, 1, 2);
        h.Save(folder.File("hparams.json"));
        Assert.Equal(h, Gpt2HyperParameters.Load(folder.File("hparams.json")));
    }
}

using PicoGpt.Architecture;
using PicoGpt.Exporting;
using PicoGpt.Inference;
using PicoGpt.Tokens;
using PicoGpt.Weights;
using Xunit;

namespace PicoGpt.Tests.Weights;

public sealed class WeightInitializationTests
{
    private static readonly Gpt2HyperParameters Shape = new(NVocab: 257, NCtx: 64, NEmbd: 96, NHead: 2, NLayer: 8);

    [Fact]
    public void Weights_are_drawn_as_OpenAIs_code_and_paper_say()
    {
        using Gpt2Model model = Create(Shape);
        foreach (Gpt2Weight weight in model.Parameters)
        {
            WeightStatistics found = weight.Statistics;
            (double mean, double deviation) = weight.Name.Split('/')[^1] switch
            {
                "g" => (1.0, 0.0),
                "b" => (0, 0),
                "wpe" => (0, 0.01),
                _ when weight.Name.Contains("c_proj", StringComparison.Ordinal) => (0, 0.02 / 4), // √(2 · 8)
                _ => (0, 0.02),
            };
            Assert.Equal(mean, found.Mean, 0.002);
            Assert.Equal(deviation, found.StandardDeviation, deviation * 0.05);
        }
    }

    [Fact]
    public void A_new_model_guesses_and_its_seed_tells_its_bits()
    {
        using Gpt2Model one = Create(Shape), same = Create(Shape), other = Create(Shape, seed: 2);
        Assert.Equal(one.Parameters.Wte.ToArray(), same.Parameters.Wte.ToArray());
        Assert.NotEqual(one.Parameters.Wte.ToArray(), other.Parameters.Wte.ToArray());
        Gpt2Completion text = TextGeneration.Run(one, "Once", new GenerationOptions { MaxTokens = 4, TopLogProbs = 1, Threads = 1 }, TestContext.Current.CancellationToken);
        Assert.All(text.Tokens, token => Assert.InRange(token.LogProbability, -Math.Log(257) - 1.5, -Math.Log(257) + 1.5));
    }

    [Fact]
    public void What_is_exported_opens_as_the_same_model()
    {
        using var folder = new TemporaryFolder();
        using Gpt2Model model = Create(Shape with { NVocab = 280 });
        ModelExport.Plan(model, folder.File("mine"), "TensorFlow").Run(cancellationToken: TestContext.Current.CancellationToken);
        using Gpt2Model opened = Gpt2Model.Open(folder.File("mine"));
        Assert.Equal(model.HyperParameters, opened.HyperParameters);
        Assert.Equal(model.Parameters.Wte.ToArray(), opened.Parameters.Wte.ToArray());
        Assert.Equal(model.Encoder.Encode("Once 9"), opened.Encoder.Encode("Once 9"));
        using Gpt2Model copy = model.Clone("copy");
        Assert.Equal(model.Encoder.Encode("Once"), copy.Encoder.Encode("Once"));
        Assert.True(copy.HasVocabulary);
    }

    [Theory]
    [InlineData(100, 3, 2, 257, "99 or 102")]
    [InlineData(2, 3, 2, 257, "such as 3.")]
    [InlineData(0, 1, 2, 257, "n_embd = 0")]
    [InlineData(64, 0, 2, 257, "n_head = 0")]
    [InlineData(64, 1, 5000, 257, "n_layer = 5000")]
    [InlineData(64, 1, 2, 256, "n_vocab = 257")]
    public void Numbers_that_make_no_model_are_refused(int width, int heads, int layers, int vocabulary, string says)
    {
        var shape = new Gpt2HyperParameters(vocabulary, 32, width, heads, layers);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Create(shape));
        Assert.Equal(Gpt2Error.InvalidArgument, fault.Error);
        Assert.Contains(says, fault.Message, StringComparison.Ordinal);
    }

    private static Gpt2Model Create(Gpt2HyperParameters shape, ulong seed = 1)
    {
        var training = new VocabularyTraining();
        training.Add(string.Concat(Enumerable.Range(0, 100).Select(i => $" {i} Once upon {i}")), TestContext.Current.CancellationToken);
        return Gpt2Model.Create(shape, training.Learn(Math.Clamp(shape.NVocab, 257, 265), cancellationToken: TestContext.Current.CancellationToken), seed);
    }
}

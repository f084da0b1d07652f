using PicoGpt.Circuits;
using PicoGpt.Inference;
using PicoGpt.Intervening;
using PicoGpt.Pictures;
using PicoGpt.Tests.Inference;
using Xunit;

namespace PicoGpt.Tests.Circuits;

public sealed class DirectionTests
{
    private static readonly string[] Kings = ["The king was old", "A king went to the sea"], Queens = ["The queen was old", "A queen went to the sea"];

    [Theory]
    [InlineData(Pooling.Mean)]
    [InlineData(Pooling.Last)]
    public void A_direction_is_the_difference_of_the_means_of_the_plain_loops(Pooling pooling)
    {
        using Gpt2Model model = BuiltInModel.Open();
        double[] Mean(string[] texts)
        {
            double[][][] traces = [.. texts.Select(text => PlainForward.Trace(model, model.Encoder.Encode(text)).Activations["h2/resid_post"])];
            return [.. Enumerable.Range(0, 192).Select(i => traces.Average(rows => pooling == Pooling.Last ? rows[^1][i] : rows.Average(row => row[i])))];
        }

        Gpt2Direction direction = Gpt2Direction.Between(model, Queens, Kings, "h2/resid_post", pooling, cancellationToken: TestContext.Current.CancellationToken);
        double[] expected = [.. Mean(Queens).Zip(Mean(Kings), (a, b) => a - b)];
        for (int i = 0; i < 192; i++) Assert.Equal(expected[i], direction.Values[i], 1e-4);
        Assert.Equal(Math.Sqrt(expected.Sum(v => v * v)), direction.Norm, 1e-3);
    }

    [Fact]
    public void A_saved_direction_is_read_again_bit_for_bit_and_steers_alike()
    {
        using var folder = new TemporaryFolder();
        using Gpt2Model model = BuiltInModel.Open();
        Gpt2Direction direction = Gpt2Direction.Between(model, Queens, Kings, "h2/resid_post", cancellationToken: TestContext.Current.CancellationToken);
        direction.Save(folder.File("v.npz"));
        Gpt2Direction read = Gpt2Direction.Load(folder.File("v.npz"));
        Assert.Equal(direction.Site, read.Site);
        Assert.Equal(direction.Values, read.Values);
        Assert.Equal(Gpt2Error.AlreadyExists, Assert.Throws<Gpt2Exception>(() => direction.Save(folder.File("v.npz"))).Error);

        GenerationOptions Steered(Gpt2Direction by) => new()
        {
            MaxTokens = 12,
            Interventions = [new Gpt2Intervention(InterventionKind.Add, by.Site) { Values = Gpt2Intervention.Row(by.Values), Factor = 4 }],
        };
        int[] one = [.. TextGeneration.Run(model, "The king", Steered(direction), TestContext.Current.CancellationToken).Ids];
        Assert.Equal(one, TextGeneration.Run(model, "The king", Steered(read), TestContext.Current.CancellationToken).Ids);
        Assert.NotEqual(one, TextGeneration.Run(model, "The king", new GenerationOptions { MaxTokens = 12 }, TestContext.Current.CancellationToken).Ids);
    }

    [Fact]
    public void Tokens_are_nearest_to_their_own_rows_and_most_similar_to_themselves()
    {
        using Gpt2Model model = BuiltInModel.Open();
        int king = model.Encoder.Encode(" king")[0];
        IReadOnlyList<Gpt2NearestToken> near = Similarity.NearestTokens(model, model.Parameters.Wte.Row(king).ToArray(), 5);
        Assert.Equal(king, near[0].Id);
        Assert.Equal(1, near[0].Similarity, 1e-6);
        Assert.True(near.Zip(near.Skip(1), (a, b) => a.Similarity >= b.Similarity).All(holds => holds));

        Gpt2Grid grid = Similarity.OfTokens(model, [" king", " queen", " the"]);
        Assert.Equal(1, grid.Values[1][1], 1e-12);
        Assert.Equal(grid.Values[0][1], grid.Values[1][0]);
        Assert.True(grid.Values[0][1] > grid.Values[0][2]);
        Gpt2Grid texts = Similarity.OfTexts(model, [Kings[0], Queens[0], "Yes!"], "h4/resid_post", cancellationToken: TestContext.Current.CancellationToken);
        Assert.True(texts.Values[0][1] > texts.Values[0][2]);
    }

    [Fact]
    public void What_is_not_a_direction_is_told_in_a_sentence()
    {
        using var folder = new TemporaryFolder();
        using Gpt2Model model = BuiltInModel.Open();
        Assert.Contains("does not exist", Assert.Throws<Gpt2Exception>(() => Gpt2Direction.Load(folder.File("no.npz"))).Message, StringComparison.Ordinal);
        Assert.Contains("3 values, but the residual stream of 3M has 192", Fault(() => Similarity.NearestTokens(model, [1, 2, 3])), StringComparison.Ordinal);
        Assert.Contains("leads nowhere", Fault(() => Similarity.NearestTokens(model, new float[192])), StringComparison.Ordinal);
        Assert.Contains("has no activation named 'h9/mlp'", Fault(() => Gpt2Direction.Between(model, Kings, Queens, "h9/mlp")), StringComparison.Ordinal);
        Assert.Contains("no text for the direction", Fault(() => Gpt2Direction.Between(model, [], Queens, "h1/mlp")), StringComparison.Ordinal);
    }

    private static string Fault(Action action) => Assert.Throws<Gpt2Exception>(action).Message;
}

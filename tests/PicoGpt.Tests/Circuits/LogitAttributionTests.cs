using PicoGpt.Architecture;
using PicoGpt.Circuits;
using PicoGpt.Inference;
using PicoGpt.Intervening;
using PicoGpt.Pictures;
using PicoGpt.Tests.Inference;
using Xunit;

namespace PicoGpt.Tests.Circuits;

public sealed class LogitAttributionTests
{
    private const string Text = "Once upon a time there was a king who had";

    [Theory]
    [InlineData(Gpt2Precision.Float32, " a", null, 1e-4)]
    [InlineData(Gpt2Precision.Float32, " three", " no", 1e-4)]
    [InlineData(Gpt2Precision.Float16, " a", null, 1e-4)]
    [InlineData(Gpt2Precision.Int8, " a", " two", 1e-4)]
    public void The_parts_add_up_to_the_logit(Gpt2Precision precision, string answer, string? against, double tolerance)
    {
        using Gpt2Model model = BuiltInModel.Open();
        Gpt2Grid grid = LogitAttribution.Of(
            model.WithPrecision(precision), Text, new LogitAttributionOptions { Answer = answer, Against = against }, TestContext.Current.CancellationToken);
        using var context = new Gpt2Context(model.WithPrecision(precision));
        ReadOnlySpan<float> logits = context.Forward(model.Encoder.Encode(Text), TestContext.Current.CancellationToken);
        double logit = (double)logits[model.Encoder.Encode(answer)[0]] - (against is null ? 0 : logits[model.Encoder.Encode(against)[0]]);
        Assert.Equal(logit, grid.Others[^1].Value);
        double sum = grid.Cells.Sum(cell => cell.Value) + grid.Others.SkipLast(1).Sum(other => other.Value);
        Assert.Equal(logit, sum, tolerance * Math.Max(1, Math.Abs(logit)));
        Assert.Equal(["head 0", "head 1", "head 2", "attn bias", "mlp", "mlp bias"], grid.ColumnLabels);
    }

    [Fact]
    public void The_parts_of_a_model_of_odd_shape_are_those_of_the_plain_loops()
    {
        using var folder = new TemporaryFolder();
        var odd = new Gpt2HyperParameters(NVocab: 300, NCtx: 80, NEmbd: 21, NHead: 3, NLayer: 2);
        RandomModel.Write(folder.Path, odd, seed: 4);
        using Gpt2Model model = Gpt2Model.Open(folder.Path);
        Gpt2Grid grid = LogitAttribution.Of(model, "a bc d", new LogitAttributionOptions { Answer = "q" }, TestContext.Current.CancellationToken);
        int[] ids = model.Encoder.Encode("a bc d");
        int token = model.Encoder.Encode("q")[0];
        Dictionary<string, double[][]> passes = PlainForward.Trace(model, ids).Activations;
        double[] last = passes["h1/resid_post"][^1];
        double mean = last.Average(), scale = 1 / Math.Sqrt(last.Average(v => (v - mean) * (v - mean)) + odd.LayerNormEpsilon);
        float[] u = model.Parameters.Wte.Row(token).ToArray(), g = model.Parameters.LnF.G.ToArray();

        double Adds(double[] part)
        {
            double center = part.Average();
            return part.Select((v, i) => (v - center) * scale * g[i] * u[i]).Sum();
        }

        Assert.Equal(Adds(passes["wte"][^1]), grid.Others[0].Value, 1e-6);
        Assert.Equal(Adds(passes["wpe"][^1]), grid.Others[1].Value, 1e-6);
        for (int layer = 0; layer < odd.NLayer; layer++)
        {
            Assert.Equal(Adds(passes[$"h{layer}/mlp"][^1]), grid.Values[layer][4] + grid.Values[layer][5], 1e-6);
            Assert.Equal(Adds(passes[$"h{layer}/attn"][^1]), grid.Values[layer].Take(4).Sum(), 1e-6);
            float[] w = model.Parameters.Blocks[layer].Attn.CProj.W.ToArray();
            for (int head = 0; head < 3; head++)
            {
                double[] added = new double[21];
                for (int i = head * 7; i < (head + 1) * 7; i++)
                {
                    for (int o = 0; o < 21; o++) added[o] += passes[$"h{layer}/attn/z"][^1][i] * w[(i * 21) + o];
                }

                Assert.Equal(Adds(added), grid.Values[layer][head], 1e-6);
            }
        }
    }

    [Fact]
    public void The_likeliest_token_is_attributed_where_none_is_named()
    {
        using Gpt2Model model = BuiltInModel.Open();
        Gpt2Grid grid = LogitAttribution.Of(model, "Once upon", cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal("What adds to the logit of ' the'", grid.Title);
    }

    [Theory]
    [InlineData("h*/attn/z", 0, 1e-4)]
    [InlineData("h2/resid_pre", 3, 0.05)]
    [InlineData("ln_f", 0.5f, 0.05)]
    public void With_interventions_what_they_add_by_themselves_is_a_part(string site, float value, double least)
    {
        using Gpt2Model model = BuiltInModel.Open();
        Gpt2Intervention change = new(InterventionKind.Value, site) { Neurons = [4, 70], Values = Gpt2Intervention.Row([value]) };
        var options = new LogitAttributionOptions { Interventions = [change] };
        Gpt2GridPair pair = LogitAttribution.Compare(model, Text, options, TestContext.Current.CancellationToken);
        Gpt2Grid before = LogitAttribution.Of(model, Text, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(before.Values, pair.Before!.Values);
        Assert.Equal(before.Title, pair.Grid.Title);
        Assert.NotEqual(before.Others[^1].Value, pair.Grid.Others[^1].Value);
        double sum = pair.Grid.Cells.Sum(cell => cell.Value) + pair.Grid.Others.SkipLast(1).Sum(other => other.Value);
        Assert.Equal(pair.Grid.Others[^1].Value, sum, 1e-9);
        double alone = Math.Abs(pair.Grid.Others.Single(other => other.Key == "interventions").Value);
        Assert.True(least < 1e-3 ? alone < least : alone > least, $"{site}: {alone}");
    }

    [Fact]
    public void A_token_that_no_text_encodes_is_attributed_as_well()
    {
        using Gpt2Model model = BuiltInModel.Open();
        float[] raised = new float[model.HyperParameters.NVocab];
        int part = Enumerable.Range(0, model.Encoder.Count).First(id => model.Encoder.GetText(id) == "\ufffd");
        raised[part] = 100;
        Gpt2Intervention change = new(InterventionKind.Add, "logits") { Values = Gpt2Intervention.Row(raised) };
        Gpt2Grid grid = LogitAttribution.Of(model, Text, new LogitAttributionOptions { Interventions = [change] }, TestContext.Current.CancellationToken);
        Assert.Equal("What adds to the logit of '\ufffd'", grid.Title);
        Assert.Equal(100, grid.Others.Single(other => other.Key == "interventions").Value, 1e-3);
    }
}

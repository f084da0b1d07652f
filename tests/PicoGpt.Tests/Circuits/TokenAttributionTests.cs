using PicoGpt.Architecture;
using PicoGpt.Circuits;
using PicoGpt.Inference;
using PicoGpt.Pictures;
using PicoGpt.Tests.Inference;
using PicoGpt.Weights;
using Xunit;

namespace PicoGpt.Tests.Circuits;

public sealed class TokenAttributionTests
{
    private const string Text = "Once upon a time there was a king who had";

    [Fact]
    public void Left_out_a_token_adds_what_the_text_says_less_without_it()
    {
        using Gpt2Model model = BuiltInModel.Open();
        int[] ids = model.Encoder.Encode(Text);
        Gpt2Grid grid = Of(model, Text, new TokenAttributionOptions { Answer = " a", Against = " no" });
        double whole = Score(model, ids);
        Assert.Equal(whole, grid.Others[0].Value);
        for (int t = 0; t < ids.Length; t++) Assert.Equal(whole - Score(model, [.. ids[..t], .. ids[(t + 1)..]]), grid.Values[0][t]);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Of(model, "a", new TokenAttributionOptions()));
        Assert.Contains("nothing would be left", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("r")]
    public void The_gradient_times_the_input_agrees_with_central_differences_at_an_odd_shape(string? against)
    {
        using TemporaryFolder folder = RandomModel.InFolder(Shapes.Odd, seed: 4);
        using Gpt2Model opened = Gpt2Model.Open(folder.Path);
        using Gpt2Model model = opened.Clone();
        Enlarge(model);
        const string Odd = "a bc de fgh";
        int[] ids = model.Encoder.Encode(Odd);
        int answer = model.Encoder.Encode("q")[0], other = model.Encoder.Encode("r")[0];
        var options = new TokenAttributionOptions { Answer = "q", Against = against, Method = AttributionMethod.GradientTimesInput };
        Gpt2Grid grid = Of(model, Odd, options);
        Assert.Equal(PlainScore(1, 0), grid.Others[0].Value, 1e-4);

        // The slope along a token's embedding is its gradient times itself.
        const double Step = 1e-4;
        double greatest = grid.Values[0].Max(Math.Abs);
        Assert.True(greatest > 0.01);
        for (int t = 0; t < ids.Length; t++)
            Assert.Equal((PlainScore(1 + Step, t) - PlainScore(1 - Step, t)) / (2 * Step), grid.Values[0][t], 1e-4 * greatest);

        double PlainScore(double factor, int token)
        {
            double[] all = PlainForward.Logits(model, ids, (name, values) =>
                name == "wte" ? [.. values.Select((row, t) => t == token ? row.Select(v => v * factor).ToArray() : row)] : values);
            double[] logits = all[^model.HyperParameters.NVocab..];
            return against is null ? logits[answer] - Math.Log(logits.Sum(Math.Exp)) : logits[answer] - logits[other];
        }
    }

    [Theory]
    [InlineData(" a", null, null)]
    [InlineData(" three", " no", null)]
    [InlineData(" a", " no", "Once upon a time there was a girl who had")]
    [InlineData(null, null, "Once upon a time there was a girl who ran")]
    public void Integrated_gradients_add_up_to_the_difference_from_the_baseline(string? answer, string? against, string? baseline)
    {
        using Gpt2Model model = BuiltInModel.Open();
        var options = new TokenAttributionOptions { Answer = answer, Against = against, Baseline = baseline, Method = AttributionMethod.IntegratedGradients };
        Gpt2Grid grid = Of(model, Text, options);
        double whole = grid.Others[0].Value, start = grid.Others[1].Value;
        Assert.Equal(["whole text", "baseline", "not attributed"], grid.Others.Select(other => other.Key));
        Assert.True(Math.Abs(whole - start) > 0.02);
        Assert.Equal(whole - start, grid.Values[0].Sum(), 2e-3);
        Assert.Equal(whole - start - grid.Values[0].Sum(), grid.Others[2].Value, 1e-12);
        Assert.Equal(Of(model, Text, options with { Method = AttributionMethod.LeaveOneOut, Baseline = null }).Others[0].Value, whole, 1e-6);
        if (baseline is null) return;
        Assert.Equal(Of(model, baseline, options with { Method = AttributionMethod.LeaveOneOut, Baseline = null, Answer = answer ?? " been" }).Others[0].Value, start, 1e-6);
        int[] ids = model.Encoder.Encode(Text), other = model.Encoder.Encode(baseline);
        for (int t = 0; t < ids.Length; t++)
        {
            if (ids[t] == other[t]) Assert.Equal(0, grid.Values[0][t]);
            else Assert.NotEqual(0, grid.Values[0][t]);
        }
    }

    [Fact]
    public void More_steps_leave_less_unattributed()
    {
        using Gpt2Model model = BuiltInModel.Open();
        double[] left = [.. new[] { 4, 32, 256 }.Select(steps => Math.Abs(
            Of(model, Text, new TokenAttributionOptions { Answer = " a", Steps = steps, Method = AttributionMethod.IntegratedGradients }).Others[2].Value))];
        Assert.True(left[1] < left[0] / 10 && left[2] < left[1] / 10, string.Join(", ", left));
    }

    [Theory]
    [InlineData(AttributionMethod.GradientTimesInput)]
    [InlineData(AttributionMethod.IntegratedGradients)]
    public void Threads_change_no_bit(AttributionMethod method)
    {
        using Gpt2Model model = BuiltInModel.Open();
        var options = new TokenAttributionOptions { Answer = " a", Method = method, Steps = 20, Threads = 1 };
        Assert.Equal(Of(model, Text, options).Values, Of(model, Text, options with { Threads = 3 }).Values);
    }

    [Fact]
    public void A_text_as_long_as_the_context_has_gradients_too()
    {
        using TemporaryFolder folder = RandomModel.InFolder(new Gpt2HyperParameters(NVocab: 300, NCtx: 300, NEmbd: 12, NHead: 2, NLayer: 2));
        using Gpt2Model model = Gpt2Model.Open(folder.Path);
        var options = new TokenAttributionOptions { Answer = "c", Against = "d", Method = AttributionMethod.IntegratedGradients };
        Gpt2Grid grid = Of(model, new string('a', 299) + "b", options);
        Assert.Equal(300, grid.Values[0].Count);
        Assert.Equal(grid.Others[0].Value - grid.Others[1].Value, grid.Values[0].Sum(), 1e-3);
    }

    [Fact]
    public void What_cannot_be_differentiated_is_told_in_a_sentence()
    {
        using Gpt2Model model = BuiltInModel.Open();
        var options = new TokenAttributionOptions { Method = AttributionMethod.IntegratedGradients };
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Of(model.WithPrecision(Gpt2Precision.Int8), Text, options));
        Assert.Contains("Gradients are computed from float32 weights, and 3M is held in Int8; use it in Float32.", fault.Message, StringComparison.Ordinal);
        fault = Assert.Throws<Gpt2Exception>(() => Of(model, Text, options with { Baseline = "Once" }));
        Assert.Contains("and its baseline 2; give a baseline of as many tokens", fault.Message, StringComparison.Ordinal);
    }

    private static Gpt2Grid Of(Gpt2Model model, string text, TokenAttributionOptions options) =>
        TokenAttribution.Of(model, text, options, TestContext.Current.CancellationToken);

    // Weights so great that attention looks somewhere and the mlps bend.
    private static void Enlarge(Gpt2Model model)
    {
        foreach (Gpt2Weight weight in model.Parameters.Where(weight => weight.Leaf.IsMatrix)) weight.SetValues([.. weight.ToArray().Select(v => v * 8)]);
    }

    private static double Score(Gpt2Model model, int[] ids)
    {
        using var context = new Gpt2Context(model);
        ReadOnlySpan<float> logits = context.Forward(ids, TestContext.Current.CancellationToken);
        return (double)logits[model.Encoder.Encode(" a")[0]] - logits[model.Encoder.Encode(" no")[0]];
    }
}

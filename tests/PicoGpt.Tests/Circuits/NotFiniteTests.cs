using PicoGpt.Circuits;
using PicoGpt.Tracing;
using PicoGpt.Weights;
using Xunit;

namespace PicoGpt.Tests.Circuits;

/// <summary>What is computed of what is not a number is none either: no grid, score or direction comes of it, and the weight is named.</summary>
public sealed class NotFiniteTests : IDisposable
{
    private const string Text = "The king", Damaged = "h2/mlp/c_fc/w";

    private static readonly Dictionary<string, Action<Gpt2Model>> Computed = new()
    {
        ["patching"] = model => new PatchingSweep(model, Text, "The queen", new PatchingOptions { Answer = " was" }).Run(),
        ["patching, two answers"] = model => new PatchingSweep(model, Text, "The queen", new PatchingOptions { Answer = " was", Against = " had" }).Run(),
        ["logit attribution"] = model => LogitAttribution.Of(model, Text),
        ["gradient"] = model => TokenAttribution.Of(model, Text, new TokenAttributionOptions { Method = AttributionMethod.GradientTimesInput }),
        ["leave one out"] = model => TokenAttribution.Of(model, Text, new TokenAttributionOptions { Method = AttributionMethod.LeaveOneOut }),
        ["heads"] = model => HeadScores.Of(model, texts: 1, length: 4),
        ["similarity"] = model => Similarity.OfTexts(model, [Text, "The queen"], "h3/resid_post"),
        ["direction"] = model => Gpt2Direction.Between(model, [Text], ["The queen"], "h3/resid_post"),
    };

    private readonly Gpt2Model _opened = BuiltInModel.Open();
    private readonly Gpt2Model _model;

    public NotFiniteTests() => _model = _opened.Clone("damaged");

    public static TheoryData<string> Names => [.. Computed.Keys];

    public void Dispose()
    {
        _model.Dispose();
        _opened.Dispose();
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Nothing_is_computed_of_what_is_not_a_number(string name)
    {
        Computed[name](_model);
        Damage(Damaged);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Computed[name](_model));
        Assert.Equal(Gpt2Error.NotFinite, fault.Error);
        Assert.Contains($"What passes through damaged is infinite or not a number, and so would be what is computed of it: its weight {Damaged} holds such values, 1 of ", fault.Message);
    }

    [Fact]
    public void Tokens_whose_embedding_is_not_a_number_are_not_compared()
    {
        Damage("wte", _model.Encoder.Encode(" king").Single() * _model.HyperParameters.NEmbd);
        Assert.NotNull(Similarity.OfTokens(_model, [" queen", " had"]));
        Assert.Equal(Gpt2Error.NotFinite, Assert.Throws<Gpt2Exception>(() => Similarity.OfTokens(_model, [" queen", " king"])).Error);
    }

    [Theory]
    [InlineData(2, "h2/mlp/c_fc/w")]
    [InlineData(0, "wpe")]
    public void A_trace_shows_it_and_tells_the_first_layer_and_the_weight(int layer, string name)
    {
        Gpt2Trace Trace() => new TextTracer(_model, Text, new TraceOptions { LogitLens = true, Layers = [5] }).Trace(TestContext.Current.CancellationToken);
        Assert.Null(Trace().Fault);
        Damage(name);
        Gpt2Exception fault = Assert.IsType<Gpt2Exception>(Trace().Fault);
        Assert.Equal(Gpt2Error.NotFinite, fault.Error);
        Assert.StartsWith($"What leaves layer {layer} of damaged is infinite or not a number: its weight {name} holds such values, 1 of ", fault.Message);
    }

    private void Damage(string name, int at = 0)
    {
        Gpt2Weight weight = _model.Parameters.Single(weight => weight.Name == name);
        float[] values = weight.ToArray();
        values[at] = float.NaN;
        weight.SetValues(values);
    }
}

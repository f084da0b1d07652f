using PicoGpt.Exporting;
using PicoGpt.Inference;
using PicoGpt.Measuring;
using PicoGpt.Weights;
using Xunit;

namespace PicoGpt.Tests.Inference;

public sealed class LogitsCheckTests : IDisposable
{
    private readonly Gpt2Model _opened = BuiltInModel.Open();
    private readonly Gpt2Model _model;
    private readonly TemporaryFolder _folder = new();

    public LogitsCheckTests() => _model = _opened.Clone("damaged");

    public void Dispose()
    {
        _model.Dispose();
        _opened.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("h2/mlp/c_fc/w", float.NaN, 1)]
    [InlineData("h0/ln_1/b", float.PositiveInfinity, 1)]
    [InlineData("wte", float.NegativeInfinity, 4)] // with beams
    public void A_model_with_a_value_that_is_not_a_number_writes_no_text_and_the_weight_is_named(string name, float value, int beams)
    {
        Set(name, value);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => TextGeneration.Run(_model, "Once upon a time", new GenerationOptions { Beams = beams }));
        Assert.Equal(Gpt2Error.NotFinite, fault.Error);
        Assert.Contains($"damaged are infinite or not numbers: its weight {name} holds such values, 1 of ", fault.Message);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void What_is_not_a_number_is_found_among_any_count_of_logits_at_any_place(float value)
    {
        var check = new LogitsCheck(_model, isChanged: false);
        for (int count = 2; count < 20; count++)
        {
            float[] logits = [.. Enumerable.Range(0, count).Select(i => i % 2 == 0 ? float.MaxValue : -float.Epsilon)];
            Assert.Null(check.FaultOf(logits));
            for (int place = 0; place < count; place++)
            {
                float[] damaged = [.. logits];
                damaged[place] = value;
                Assert.Equal(Gpt2Error.NotFinite, check.FaultOf(damaged)?.Error);
            }
        }
    }

    [Fact]
    public void A_model_that_finds_every_token_equally_likely_writes_no_text_and_weights_of_zeros_are_named()
    {
        foreach (string name in (string[])["ln_f/g", "ln_f/b", "h0/ln_1/g"]) Weight(name).SetValues(new float[Weight(name).Count]);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => TextGeneration.Run(_model, "Once upon a time"));
        Assert.Equal(Gpt2Error.Corrupt, fault.Error);
        Assert.Contains("damaged finds every token equally likely, since 2 of its weights, h0/ln_1/g among them, hold nothing but zeros", fault.Message);
    }

    [Fact]
    public void What_becomes_too_great_on_the_way_is_told_from_a_damaged_weight()
    {
        Set("h2/mlp/c_fc/w", 3e38f);
        Set("h2/ln_2/g", 3e38f);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => TextGeneration.Run(_model, "Once upon a time"));
        Assert.Contains("all its weights are numbers, but what passes through becomes greater than float32 can hold", fault.Message);
    }

    [Theory]
    [InlineData(Gpt2Precision.Float16)]
    [InlineData(Gpt2Precision.BFloat16)]
    [InlineData(Gpt2Precision.Int8)]
    [InlineData(Gpt2Precision.Int4)]
    public void Fewer_bits_make_no_number_of_what_is_none(Gpt2Precision precision)
    {
        Set("h2/mlp/c_fc/w", float.NaN);
        using Gpt2Model reduced = Open(precision);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => TextGeneration.Run(reduced, "Once upon a time"));
        Assert.Equal(Gpt2Error.NotFinite, fault.Error);
        Assert.Contains($"The weight 'h2/mlp/c_fc/w' holds values that are infinite or not numbers, for which there is no place in {precision}", fault.Message);
    }

    [Fact]
    public void What_is_too_great_for_half_precision_is_not_made_smaller()
    {
        Set("h2/mlp/c_fc/w", -65536);
        using Gpt2Model reduced = Open(Gpt2Precision.Float16);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => TextGeneration.Run(reduced, "Once upon a time"));
        Assert.Contains("The weight 'h2/mlp/c_fc/w' holds 65536, and Float16 ends at 65504; take BFloat16 or Float32.", fault.Message);
    }

    [Theory]
    [InlineData("Gguf", Gpt2Precision.Int8, float.NaN, Gpt2Error.NotFinite)]
    [InlineData("Gguf", Gpt2Precision.Int8, 1e7f, Gpt2Error.Unsupported)]
    [InlineData("Safetensors", Gpt2Precision.Float16, float.PositiveInfinity, Gpt2Error.NotFinite)]
    [InlineData("Safetensors", Gpt2Precision.Float16, 1e5f, Gpt2Error.Unsupported)]
    public void Nothing_is_written_in_fewer_bits_that_have_no_place_for_it(string format, Gpt2Precision precision, float value, Gpt2Error error)
    {
        Set("h2/mlp/c_fc/w", value);
        var export = ModelExport.Plan(_model, _folder.File("out"), format, precision: precision);
        Assert.Equal(error, Assert.Throws<Gpt2Exception>(() => export.Run()).Error);
        Assert.False(Directory.Exists(_folder.File("out")));
    }

    [Fact]
    public void A_text_that_does_not_come_to_it_is_not_ended_by_another_one()
    {
        Weight("wpe")[10, 0] = float.NaN;
        using var generator = new BatchGenerator(_model, new GenerationOptions { MaxTokens = 4 });
        generator.Add("Once upon a time there was a queen who had a child");
        generator.Add("The king");
        List<Gpt2Completion> completions = [];
        while (!generator.IsEmpty) completions.AddRange(generator.Advance());
        Assert.Equal(Gpt2Error.NotFinite, Assert.IsType<Gpt2Exception>(completions[0].Fault).Error);
        Assert.Null(completions[1].Fault);
        Assert.Equal(TextGeneration.Run(_opened, "The king", new GenerationOptions { MaxTokens = 4 }).Text, completions[1].Text);
    }

    [Fact]
    public void A_text_has_no_measure_by_what_is_not_a_number()
    {
        Set("h5/attn/c_proj/b", float.NaN);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => TextMeasurer.Measure(_model, "Once upon a time"));
        Assert.Equal(Gpt2Error.NotFinite, fault.Error);
        Assert.Contains("h5/attn/c_proj/b", fault.Message);
    }

    // A model whose weights can be changed runs in Float32 alone.
    private Gpt2Model Open(Gpt2Precision precision)
    {
        ModelExport.Plan(_model, _folder.File("damaged"), "Safetensors").Run();
        return Gpt2Model.Open(_folder.File("damaged"), precision: precision);
    }

    private Gpt2Weight Weight(string name) => _model.Parameters.Single(weight => weight.Name == name);

    private void Set(string name, float value)
    {
        Gpt2Weight weight = Weight(name);
        float[] values = weight.ToArray();
        values[0] = value;
        weight.SetValues(values);
    }
}

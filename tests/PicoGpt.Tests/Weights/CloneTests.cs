using PicoGpt.Exporting;
using PicoGpt.Inference;
using PicoGpt.Weights;
using Xunit;

namespace PicoGpt.Tests.Weights;

public sealed class CloneTests : IDisposable
{
    private static readonly GenerationOptions Eight = new() { MaxTokens = 8, IgnoreEndOfText = true };

    private readonly TemporaryFolder _folder = new();
    private readonly Gpt2Model _model = BuiltInModel.Open();

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_clone_says_what_the_model_says_and_lives_on_without_it()
    {
        IReadOnlyList<int> expected = TextGeneration.Run(_model, "Once", Eight).Ids;
        using Gpt2Model clone = _model.Clone();
        _model.Dispose();
        Assert.Equal(("3M (clone)", ""), (clone.Name, clone.Path));
        Assert.Equal(expected, TextGeneration.Run(clone, "Once", Eight).Ids);
    }

    [Fact]
    public void What_is_set_in_a_clone_is_set_there_alone_and_what_it_says_follows()
    {
        using Gpt2Model clone = _model.Clone();
        Gpt2Weight wpe = clone.Parameters.Wpe;
        float before = _model.Parameters.Wpe[3, 4];
        wpe[3, 4] = 5;
        wpe[-1, -1] = 6;
        clone.Parameters.LnF.B![7] = 7;
        Assert.Equal((5f, 6f, 7f), (wpe[3, 4], wpe[255, 191], clone.Parameters.LnF.B[7]));
        Assert.Equal(before, _model.Parameters.Wpe[3, 4]);
        IReadOnlyList<int> ids = TextGeneration.Run(clone, "Once", Eight).Ids;
        wpe.SetValues(new float[wpe.Count]);
        clone.Parameters.LnF.B.SetValues(new float[192]);
        Assert.NotEqual(ids, TextGeneration.Run(clone, "Once", Eight).Ids);
    }

    [Fact]
    public void Values_come_from_arrays_matrices_and_other_tensors()
    {
        using Gpt2Model clone = _model.Clone();
        Gpt2Weight bias = clone.Parameters.LnF.B!, wpe = clone.Parameters.Wpe;
        bias.SetValues([.. Enumerable.Range(0, 192).Select(i => (float)i)]);
        Assert.Equal(100f, bias[100]);
        float[,] matrix = new float[256, 192];
        matrix[2, 3] = 9;
        wpe.SetMatrix(matrix);
        Assert.Equal((9f, 9f, 0f), (wpe[2, 3], wpe.Max, wpe.Min));
        wpe.SetValues(_model.Parameters.Wpe);
        Assert.Equal(_model.Parameters.Wpe.ToArray(), wpe.ToArray());
    }

    [Fact]
    public void A_slice_sets_what_it_looks_at()
    {
        using Gpt2Model clone = _model.Clone();
        Gpt2Weight wpe = clone.Parameters.Wpe;
        float[] expected = wpe.ToArray();
        wpe.Column(1).SetValues(new float[256]);
        wpe.Row(2).SetValues(wpe.Row(3));
        wpe.Slice("0:1, 4:6").SetMatrix(new float[,] { { 1, 2 } });
        wpe.Row(5)[6] = 8;
        for (int row = 0; row < 256; row++) expected[(row * 192) + 1] = 0;
        expected.AsSpan(3 * 192, 192).CopyTo(expected.AsSpan(2 * 192));
        (expected[4], expected[5], expected[(5 * 192) + 6]) = (1, 2, 8);
        Assert.Equal(expected, wpe.ToArray());
    }

    [Fact]
    public void Statistics_follow_the_values()
    {
        using Gpt2Model clone = _model.Clone();
        Gpt2Weight wpe = clone.Parameters.Wpe;
        WeightSlice row = wpe.Row(0);
        Assert.True(wpe.Max < 50);
        Assert.Same(wpe.Statistics, wpe.Statistics);
        Assert.True(row.Max < 50);
        wpe[0, 0] = 50;
        Assert.Equal((50f, 50f), (wpe.Max, row.Max));
    }

    [Fact]
    public void Values_of_another_shape_are_refused_with_both_shapes()
    {
        using Gpt2Model clone = _model.Clone();
        Gpt2Weight wpe = clone.Parameters.Wpe;
        AssertRefused(() => wpe.SetValues(new float[5]), "wpe is [256, 192] and has 49152 values; 5 values do not fit.");
        AssertRefused(() => wpe.SetMatrix(new float[192, 256]), "[192, 256] do not fit");
        AssertRefused(() => wpe.SetValues(clone.Parameters.Wte), "[2048, 192] do not fit");
        Assert.Equal(_model.Parameters.Wpe.ToArray(), wpe.ToArray());
    }

    [Fact]
    public void Weights_of_a_checkpoint_are_read_only()
    {
        Gpt2Weight wpe = _model.Parameters.Wpe;
        Assert.True(wpe.IsReadOnly);
        Assert.True(wpe.Row(1).IsReadOnly);
        AssertRefused(() => wpe[0, 0] = 1, "Clone()");
        AssertRefused(() => wpe.Row(0)[0] = 1, "Clone()");
        AssertRefused(() => wpe.SetValues(wpe), "Clone()");
        using Gpt2Model clone = _model.Clone();
        Assert.False(clone.Parameters.Wpe.IsReadOnly);
    }

    [Theory]
    [InlineData("Npz")]
    [InlineData("Safetensors")]
    [InlineData("TensorFlow")]
    public void A_changed_clone_is_saved_and_opened_again(string format)
    {
        using Gpt2Model clone = _model.Clone("mine");
        clone.Parameters.Blocks[1].Attn.CAttn.W[5, 6] = 0.25f;
        ModelExport.Plan(clone, _folder.File("mine"), format).Run();
        using Gpt2Model saved = Gpt2Model.Open(_folder.File("mine"));
        Assert.All(clone.Parameters.Zip(saved.Parameters), pair => Assert.Equal(pair.First.ToArray(), pair.Second.ToArray()));
        Assert.Equal(TextGeneration.Run(clone, "Once", Eight).Ids, TextGeneration.Run(saved, "Once", Eight).Ids);
    }

    [Fact]
    public void A_clone_runs_in_float32_alone()
    {
        using Gpt2Model reduced = Gpt2Model.Open(_model.Path, precision: Gpt2Precision.Int8), clone = reduced.Clone();
        Assert.Equal(Gpt2Precision.Float32, clone.Precision);
        Assert.Equal(Gpt2Precision.Float32, clone.WithPrecision(Gpt2Precision.Float32).Precision);
        AssertRefused(() => clone.WithPrecision(Gpt2Precision.Int8), "export it, and open that in Int8");
    }

    private static void AssertRefused(Action action, string part)
    {
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(action);
        Assert.Equal(Gpt2Error.InvalidArgument, fault.Error);
        Assert.Contains(part, fault.Message, StringComparison.Ordinal);
    }
}

using PicoGpt.Architecture;
using PicoGpt.Checkpoints;
using PicoGpt.Checkpoints.TensorFlow;
using PicoGpt.Inference;
using PicoGpt.Weights;
using Xunit;

namespace PicoGpt.Tests.Weights;

public sealed class Gpt2ModelTests
{
    [Fact]
    public void The_tree_has_the_architecture_s_names_and_shapes()
    {
        using Gpt2Model model = BuiltInModel.Open();
        Gpt2Parameters p = model.Parameters;
        Assert.Equal("wte [2048, 192]", p.Wte.ToString());
        Assert.Equal("wpe [256, 192]", p.Wpe.ToString());
        Assert.Equal(6, p.Blocks.Count);
        Assert.Equal("h5/attn/c_attn/w [192, 576]", p.Blocks[5].Attn.CAttn.W.ToString());
        Assert.Equal("h5/attn/c_proj/b [192]", p.Blocks[5].Attn.CProj.B!.ToString());
        Assert.Equal("h0/mlp/c_fc/w [192, 768]", p.Blocks[0].Mlp.CFc.W.ToString());
        Assert.Equal("h0/mlp/c_proj/w [768, 192]", p.Blocks[0].Mlp.CProj.W.ToString());
        Assert.Equal("h0/ln_2/g [192]", p.Blocks[0].Ln2.G.ToString());
        Assert.Equal("ln_f/b [192]", p.LnF.B!.ToString());
        Assert.Equal(2 + (6 * 12) + 2, p.Count);
        Assert.Equal(3_111_936, model.ParameterCount);
        Assert.Equal(3_111_936, p.Sum(w => w.Count));
    }

    [Fact]
    public void Statistics_are_those_of_the_values()
    {
        using Gpt2Model model = BuiltInModel.Open();
        foreach (Gpt2Weight weight in model.Parameters.Take(14))
        {
            float[] values = weight.ToArray();
            double mean = values.Average(v => (double)v);
            Assert.Equal(values.Min(), weight.Min);
            Assert.Equal(values.Max(), weight.Max);
            Assert.Equal(mean, weight.Mean, 1e-7);
            Assert.Equal(Math.Sqrt(values.Average(v => (v - mean) * (v - mean))), weight.StandardDeviation, 1e-6);
        }
    }

    [Fact]
    public void A_float32_weight_is_the_mapped_file_itself()
    {
        using Gpt2Model model = BuiltInModel.Open();
        Assert.False(System.Runtime.InteropServices.MemoryMarshal.TryGetArray(model.Parameters.Wte.Values, out _));
    }

    [Theory]
    [InlineData("")]
    [InlineData("model.ckpt")]
    [InlineData("model.ckpt.index")]
    [InlineData("model.ckpt.data-00000-of-00001")]
    [InlineData("checkpoint")]
    public void A_model_opens_by_its_folder_its_prefix_or_any_of_its_files(string name)
    {
        using Gpt2Model model = Gpt2Model.Open(Path.Combine(BuiltInModel.Folder, name));
        Assert.Equal("3M", model.Name);
        Assert.Equal(BuiltInModel.Folder, model.Path);
    }

    [Fact]
    public void A_random_model_of_any_shape_opens_generates_and_is_the_same_every_time()
    {
        using var folder = new TemporaryFolder();
        RandomModel.Write(folder.File("a"), Shapes.Small, seed: 5);
        RandomModel.Write(folder.File("b"), Shapes.Small, seed: 5);
        Assert.Equal(File.ReadAllBytes(folder.File("a/model.ckpt.data-00000-of-00001")), File.ReadAllBytes(folder.File("b/model.ckpt.data-00000-of-00001")));
        using Gpt2Model model = Gpt2Model.Open(folder.File("a"));
        Assert.Equal(Shapes.Small, model.HyperParameters);
        Assert.Equal(300, model.Encoder.Count);
        Assert.Equal(0.02, model.Parameters.Wte.StandardDeviation, 0.001);
        Assert.Equal(5, TextGeneration.Run(model, "\"\\ hello", new GenerationOptions { MaxTokens = 5, IgnoreEndOfText = true }).Ids.Count);
        TensorBundle.Open(folder.File("a")).VerifyAll();
    }

    [Theory]
    [InlineData(TensorDType.Float16)]
    [InlineData(TensorDType.BFloat16)]
    [InlineData(TensorDType.Float64)]
    public void Other_floating_point_types_are_read_as_float32(TensorDType dtype)
    {
        using TemporaryFolder folder = RandomModel.InFolder(Shapes.Small);
        Rewrite(folder, (name, values) => (name, dtype, values));
        using Gpt2Model model = Gpt2Model.Open(folder.Path);
        Assert.Equal(dtype, model.Parameters.Wte.DType);
        Assert.Equal(0.02, model.Parameters.Wte.StandardDeviation, 0.001);
        Assert.Equal(3, TextGeneration.Run(model, "a", new GenerationOptions { MaxTokens = 3, IgnoreEndOfText = true }).Ids.Count);
    }

    [Fact]
    public void Without_hparams_the_shapes_tell()
    {
        using TemporaryFolder folder = RandomModel.InFolder(Shapes.Small with { NEmbd = 128, NHead = 2 });
        File.Delete(folder.File("hparams.json"));
        using Gpt2Model model = Gpt2Model.Open(folder.Path);
        Assert.Equal(Shapes.Small with { NEmbd = 128, NHead = 2 }, model.HyperParameters);
        Assert.Contains("does not tell the number of heads", model.Assumption, StringComparison.Ordinal);
        Assert.Contains("; 2 are assumed, which have OpenAI's head size 64.", model.Assumption, StringComparison.Ordinal);
    }

    [Fact]
    public void The_number_of_heads_can_be_told_and_must_not_contradict_what_the_files_say()
    {
        using TemporaryFolder folder = RandomModel.InFolder(Shapes.Small with { NEmbd = 128, NHead = 4 });
        using (Gpt2Model agreed = Gpt2Model.Open(folder.Path, headCount: 4)) Assert.Null(agreed.Assumption);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Gpt2Model.Open(folder.Path, headCount: 2));
        Assert.Equal(Gpt2Error.InvalidArgument, fault.Error);
        Assert.Contains("hparams.json' says n_head = 4, where 2 heads were asked for", fault.Message, StringComparison.Ordinal);

        File.Delete(folder.File("hparams.json"));
        using (Gpt2Model told = Gpt2Model.Open(folder.Path, headCount: 4)) Assert.Equal((4, null), (told.HyperParameters.NHead, told.Assumption));
        fault = Assert.Throws<Gpt2Exception>(() => Gpt2Model.Open(folder.Path, headCount: 5));
        Assert.Contains("n_embd = 128 and n_head = 5", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_hparams_an_unusual_width_is_refused_with_the_way_out()
    {
        using TemporaryFolder folder = RandomModel.InFolder(Shapes.Small with { NEmbd = 30, NHead = 2 });
        File.Delete(folder.File("hparams.json"));
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Gpt2Model.Open(folder.Path));
        Assert.Equal(Gpt2Error.UnknownHeadCount, fault.Error);
        Assert.Contains("Give the number, or add the model's config.json or hparams.json.", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_and_misshapen_tensors_are_counted_in_one_error_and_three_are_named()
    {
        using TemporaryFolder folder = RandomModel.InFolder(Shapes.Small);
        new Gpt2HyperParameters(301, 32, 64, 1, 3).Save(folder.File("hparams.json"));
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Gpt2Model.Open(folder.Path));
        Assert.Equal(Gpt2Error.WrongArchitecture, fault.Error);
        Assert.Contains("model/wte [300, 64] (expected [301, 64])", fault.Message, StringComparison.Ordinal);
        Assert.Contains("missing: model/h2/ln_1/g, model/h2/ln_1/b, model/h2/attn/c_attn/w and 9 more;", fault.Message, StringComparison.Ordinal);
        Assert.EndsWith("Give the hparams.json that belongs to these weights.", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_surplus_layer_is_named_but_optimizer_slots_are_ignored()
    {
        using TemporaryFolder folder = RandomModel.InFolder(Shapes.Small);
        Rewrite(folder, (name, values) => (name, TensorDType.Float32, values), extra: ["model/wte/Adam", "model/h0/ln_1/g/Adam_1", "beta1_power", "global_step"]);
        Gpt2Model.Open(folder.Path).Dispose();

        (Shapes.Small with { NLayer = 1 }).Save(folder.File("hparams.json"));
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Gpt2Model.Open(folder.Path));
        Assert.Contains("surplus: model/h1/attn/c_attn/b", fault.Message, StringComparison.Ordinal);
        Assert.EndsWith("Give the hparams.json that belongs to these weights.", fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("Adam", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_weight_is_never_computed_with()
    {
        using TemporaryFolder folder = RandomModel.InFolder(Shapes.Small);
        string data = folder.File("model.ckpt.data-00000-of-00001");
        byte[] bytes = File.ReadAllBytes(data);
        bytes[^5] ^= 1; // in ln_f/b, the last that is written
        File.WriteAllBytes(data, bytes);
        using Gpt2Model model = Gpt2Model.Open(folder.Path);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => TextGeneration.Run(model, "a"));
        Assert.Equal(Gpt2Error.ChecksumMismatch, fault.Error);
        Assert.Contains("model/ln_f/b", fault.Message, StringComparison.Ordinal);
        Assert.Throws<Gpt2Exception>(() => model.Parameters.LnF.B!.ToArray());
        Assert.Equal(64 * 192, model.Parameters.Blocks[0].Attn.CAttn.W.ToArray().Length);
    }

    [Fact]
    public void The_leading_one_of_a_projection_is_squeezed_away()
    {
        using Gpt2Model model = BuiltInModel.Open();
        using TensorBundle bundle = TensorBundle.Open(BuiltInModel.Folder);
        Assert.Equal(3, bundle.GetEntry("model/h0/mlp/c_fc/w").Shape.Rank);
        Assert.Equal([192, 768], model.Parameters.Blocks[0].Mlp.CFc.W.Shape);
    }

    [Theory]
    [InlineData("checkpoints/openai-124M-truncated", Gpt2Error.Truncated, "model/h0/attn/c_attn/w")]
    [InlineData("checkpoints/openai-124M-index", Gpt2Error.FileNotFound, "model.ckpt.data-00000-of-00001")]
    [InlineData("checkpoints/openai-1558M-index", Gpt2Error.FileNotFound, "model.ckpt.data-00000-of-00001")]
    [InlineData("checkpoints/lfs-pointers/openai-355M", Gpt2Error.LfsPointer, "git lfs pull")]
    [InlineData("checkpoints/lfs-pointers/mypitchfork", Gpt2Error.LfsPointer, "git lfs pull")]
    [InlineData("checkpoints/failure-bodies/azure-BlobNotFound.xml", Gpt2Error.ErrorBody, "BlobNotFound")]
    [InlineData("checkpoints/serving/saved_model_half_plus_two_2_versions/variables", Gpt2Error.WrongArchitecture, "is not a GPT-2 checkpoint")]
    [InlineData("checkpoints/no-such-folder", Gpt2Error.FileNotFound, "no-such-folder")]
    public void What_cannot_be_opened_is_refused_with_its_own_sentence(string path, Gpt2Error error, string word)
    {
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Gpt2Model.Open(SharedData.Path(path)));
        Assert.Equal(error, fault.Error);
        Assert.Contains(word, fault.Message, StringComparison.Ordinal);
    }

    private static void Rewrite(
        TemporaryFolder folder, Func<string, float[], (string Name, TensorDType DType, float[] Values)> change, string[]? extra = null)
    {
        List<(string Name, TensorDType DType, TensorShape Shape, float[] Values)> tensors = [];
        using (TensorBundle bundle = TensorBundle.Open(folder.Path))
        {
            foreach (TensorEntry entry in bundle.Entries)
            {
                (string name, TensorDType dtype, float[] values) = change(entry.Name, bundle.GetFloats(entry).ToArray());
                tensors.Add((name, dtype, entry.Shape, values));
            }
        }

        using var writer = new TensorBundleWriter(folder.File("model.ckpt"));
        foreach ((string name, TensorDType dtype, TensorShape shape, float[] values) in tensors) writer.Add(name, dtype, shape, Bytes(dtype, values));
        foreach (string name in extra ?? []) writer.AddFloats(name, new TensorShape(1), [1f]);
        writer.Finish();
    }

    private static byte[] Bytes(TensorDType dtype, float[] values) => dtype switch
    {
        TensorDType.Float16 => [.. values.SelectMany(v => BitConverter.GetBytes((Half)v))],
        TensorDType.BFloat16 => [.. values.SelectMany(v => BitConverter.GetBytes(v)[2..])],
        TensorDType.Float64 => [.. values.SelectMany(v => BitConverter.GetBytes((double)v))],
        _ => [.. values.SelectMany(BitConverter.GetBytes)],
    };
}

using System.Runtime.InteropServices;
using PicoGpt.Architecture;
using PicoGpt.Exporting;
using PicoGpt.Inference;
using PicoGpt.Numerics;
using PicoGpt.Tests.Checkpoints;
using PicoGpt.Tests.Weights;
using Xunit;

namespace PicoGpt.Tests.Inference;

/// <summary>Every GPT-2 that a config.json describes: read, computed as the plain loops do it, written again.</summary>
public sealed class ModelFamilyTests : IDisposable
{
    private const string Everything = """
        "activation_function": "gelu", "layer_norm_epsilon": 0.003, "n_inner": 75, "scale_attn_weights": false,
        "scale_attn_by_inverse_layer_idx": true, "tie_word_embeddings": false, "bias": false
        """;

    // of the logits' size
    private const double Tolerance = 1e-4;

    // Where weights are held in fewer bits, keys and values are rounded to 16 bits: what lies between two of them goes either way.
    private const double KeyTolerance = 3e-4;

    // Where weights are integers, activations are rounded too: to 16 bits, or to 8 where weights have fewer.
    private const double RoundedTolerance = 2e-3;
    private const double BytesTolerance = 0.05;

    private static readonly Gpt2HyperParameters Shape = new(NVocab: 41, NCtx: 24, NEmbd: 36, NHead: 3, NLayer: 3);

    private static readonly int[] Ids = [.. Enumerable.Range(0, 19).Select(i => (i * 17) % 41)];

    private static readonly Dictionary<string, Gpt2HyperParameters> Family = new()
    {
        ["\"reorder_and_upcast_attn\": true"] = Shape,
        ["\"activation_function\": \"gelu_new\""] = Shape,
        ["\"activation_function\": \"gelu_fast\""] = Shape,
        ["\"activation_function\": \"gelu_pytorch_tanh\""] = Shape,
        ["\"activation_function\": \"gelu\""] = Shape with { Activation = Gpt2Activation.Gelu },
        ["\"activation_function\": \"relu\""] = Shape with { Activation = Gpt2Activation.Relu },
        ["\"activation_function\": \"silu\""] = Shape with { Activation = Gpt2Activation.Silu },
        ["\"activation_function\": \"swish\""] = Shape with { Activation = Gpt2Activation.Silu },
        ["\"layer_norm_epsilon\": 0.01"] = Shape with { LayerNormEpsilon = 0.01 },
        ["\"n_inner\": null"] = Shape,
        ["\"n_inner\": 144"] = Shape,
        ["\"n_inner\": 50"] = Shape with { NInner = 50 },
        ["\"scale_attn_weights\": false"] = Shape with { ScaleAttnWeights = false },
        ["\"scale_attn_by_inverse_layer_idx\": true"] = Shape with { ScaleAttnByInverseLayerIdx = true },
        ["\"tie_word_embeddings\": false"] = Shape with { TieWordEmbeddings = false },
        ["\"bias\": false"] = Shape with { Bias = false },
        [Everything] = Shape with
        {
            Activation = Gpt2Activation.Gelu,
            LayerNormEpsilon = 0.003,
            NInner = 75,
            ScaleAttnWeights = false,
            ScaleAttnByInverseLayerIdx = true,
            TieWordEmbeddings = false,
            Bias = false,
        },
    };

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Configs => [.. Family.Keys];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Configs))]
    public void A_model_of_the_family_says_what_the_plain_loops_say_in_every_precision(string config)
    {
        Write(config, Family[config]);
        using Gpt2Model model = Gpt2Model.Open(_folder.Path);
        Assert.Equal(Family[config], model.HyperParameters);
        foreach (Gpt2Precision precision in Enum.GetValues<Gpt2Precision>())
        {
            Gpt2Model view = model.WithPrecision(precision);
            double[] expected = PlainForward.Logits(view, Ids);
            double tolerance = precision switch
            {
                Gpt2Precision.Float32 => Tolerance,
                Gpt2Precision.Int8 => RoundedTolerance,
                Gpt2Precision.Int4 => BytesTolerance,
                _ => KeyTolerance,
            };
            AssertClose(expected, Logits(view), tolerance);
        }
    }

    [Theory]
    [InlineData("\"activation_function\": \"gelu\"")]
    [InlineData("\"activation_function\": \"relu\"")]
    [InlineData("\"activation_function\": \"silu\"")]
    [InlineData("\"layer_norm_epsilon\": 0.01")]
    [InlineData("\"scale_attn_weights\": false")]
    [InlineData("\"scale_attn_by_inverse_layer_idx\": true")]
    public void What_the_config_says_changes_what_the_model_says(string config)
    {
        Write("\"n_ctx\": 24", Shape);
        float[] before;
        using (Gpt2Model model = Gpt2Model.Open(_folder.Path)) before = Logits(model);
        Write(config, Shape);
        using Gpt2Model changed = Gpt2Model.Open(_folder.Path);
        double scale = Math.Sqrt(before.Average(value => (double)value * value));
        double change = before.Zip(Logits(changed)).Max(pair => Math.Abs(pair.First - pair.Second));
        Assert.True(change > 2 * Tolerance * scale, $"a change of {change}, where the logits are of the size {scale}, might be a rounding");
    }

    [Theory]
    [InlineData(Everything, Gpt2Precision.Float32)]
    [InlineData(Everything, Gpt2Precision.Int8)]
    [InlineData("\"activation_function\": \"relu\"", Gpt2Precision.Float32)]
    [InlineData("\"activation_function\": \"silu\"", Gpt2Precision.Float16)]
    public void Its_logits_are_the_same_bits_at_every_width_and_for_any_threads_and_portions(string config, Gpt2Precision precision)
    {
        Write(config, Family[config]);
        using Gpt2Model model = Gpt2Model.Open(_folder.Path, precision: precision);
        float[] expected = Logits(model, Kernels.Choose("plain"), threads: 1, portion: Ids.Length);
        foreach (Kernels kernels in Kernels.All)
        {
            Assert.Equal(expected, Logits(model, kernels, threads: 1, portion: Ids.Length));
            Assert.Equal(expected, Logits(model, kernels, threads: 3, portion: 5));
            Assert.Equal(expected, Logits(model, kernels, threads: 2, portion: 1));
        }
    }

    [Theory]
    [InlineData("Safetensors")]
    [InlineData("Npz")]
    public void A_model_of_the_family_goes_into_another_folder_and_says_the_same(string format)
    {
        Write(Everything, Family[Everything]);
        using Gpt2Model model = Gpt2Model.Open(_folder.Path), clone = model.Clone();
        ModelExport.Plan(clone, _folder.File("out"), format).Run();
        using Gpt2Model exported = Gpt2Model.Open(_folder.File("out"));
        Assert.Equal(Family[Everything], exported.HyperParameters);
        Assert.Equal(Logits(model), Logits(clone));
        Assert.Equal(Logits(model), Logits(exported));
        Assert.False(File.Exists(_folder.File("out/hparams.json")));
    }

    [Fact]
    public void OpenAI_s_format_has_no_place_for_it_and_says_so()
    {
        Write(Everything, Family[Everything]);
        using Gpt2Model model = Gpt2Model.Open(_folder.Path);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => ModelExport.Plan(model, _folder.File("out"), "TensorFlow"));
        Assert.Equal(Gpt2Error.Unsupported, fault.Error);
        Assert.Contains(
            "n_inner = 75, activation_function = \"gelu\", layer_norm_epsilon = 0.003, scale_attn_weights = false, "
                + "scale_attn_by_inverse_layer_idx = true, tie_word_embeddings = false, bias = false",
            fault.Message,
            StringComparison.Ordinal);
        Assert.Equal(1, ModelExport.Plan(model, _folder.File("out"), "TensorFlow", weight => weight.Name == "wpe").Count);
    }

    [Fact]
    public void An_output_projection_that_differs_from_the_embedding_is_used_whether_or_not_the_config_speaks_of_it()
    {
        Write("\"tie_word_embeddings\": false", Shape with { TieWordEmbeddings = false });
        float[] expected;
        using (Gpt2Model told = Gpt2Model.Open(_folder.Path)) expected = Logits(told);
        Write("\"tie_word_embeddings\": true", Shape with { TieWordEmbeddings = false });
        using Gpt2Model found = Gpt2Model.Open(_folder.Path);
        Assert.False(found.HyperParameters.TieWordEmbeddings);
        Assert.Equal((41 * 36) + Shape.ParameterCount, found.ParameterCount);
        Assert.Equal("lm_head", found.Parameters.LmHead.Name);
        Assert.Equal(expected, Logits(found));
    }

    [Fact]
    public void Of_two_names_of_one_matrix_either_will_do()
    {
        Write("\"tie_word_embeddings\": true", Shape);
        List<(string Name, string Type, long[] Shape, byte[] Bytes)> tensors = TensorsOf(Shape);
        using Gpt2Model expected = Gpt2Model.Open(_folder.Path);
        Assert.Equal("transformer.wte.weight", tensors[0].Name);
        foreach (bool isBoth in (bool[])[false, true])
        {
            string folder = _folder.File(isBoth ? "both" : "one");
            Directory.CreateDirectory(folder);
            File.Copy(_folder.File("config.json"), Path.Combine(folder, "config.json"));
            var head = tensors[0] with { Name = "lm_head.weight" };
            File.WriteAllBytes(Path.Combine(folder, "model.safetensors"), SafetensorsBytes.Of(isBoth ? [.. tensors, head] : [head, .. tensors[1..]]));
            using Gpt2Model model = Gpt2Model.Open(folder);
            Assert.Equal(Shape, model.HyperParameters);
            Assert.Same(model.Parameters.Wte, model.Parameters.LmHead);
            Assert.Equal(Logits(expected), Logits(model));
        }
    }

    [Fact]
    public void An_output_projection_that_the_config_promises_and_the_file_lacks_is_missing()
    {
        Write("\"tie_word_embeddings\": false", Shape);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Gpt2Model.Open(_folder.Path));
        Assert.Contains("missing: lm_head.weight", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_without_a_single_bias_is_of_a_model_without_and_one_that_lacks_some_is_damaged()
    {
        Write("\"n_ctx\": 24", Shape with { Bias = false });
        using (Gpt2Model model = Gpt2Model.Open(_folder.Path))
        {
            Assert.False(model.HyperParameters.Bias);
            Assert.Null(model.Parameters.Blocks[0].Attn.CAttn.B);
            Assert.Null(model.Parameters.LnF.B);
        }

        List<(string Name, string Type, long[] Shape, byte[] Bytes)> tensors = TensorsOf(Shape);
        tensors.RemoveAll(tensor => tensor.Name == "transformer.h.1.mlp.c_fc.bias");
        File.WriteAllBytes(_folder.File("model.safetensors"), SafetensorsBytes.Of(tensors));
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Gpt2Model.Open(_folder.Path));
        Assert.Contains("missing: transformer.h.1.mlp.c_fc.bias.", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_hidden_width_is_told_by_the_weights_where_there_is_no_config()
    {
        Gpt2HyperParameters h = Shape with { NEmbd = 64, NHead = 1, NInner = 20 };
        Write("\"n_inner\": 20", h);
        File.Delete(_folder.File("config.json"));
        using Gpt2Model model = Gpt2Model.Open(_folder.Path);
        Assert.Equal(h, model.HyperParameters);
    }

    [Fact]
    public void Two_files_that_contradict_each_other_are_refused_and_of_two_that_agree_both_are_heard()
    {
        Write("\"activation_function\": \"relu\"", Shape);
        Shape.Save(_folder.File("hparams.json"));
        using (Gpt2Model model = Gpt2Model.Open(_folder.Path)) Assert.Equal(Shape with { Activation = Gpt2Activation.Relu }, model.HyperParameters);
        (Shape with { NHead = 4 }).Save(_folder.File("hparams.json"));
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Gpt2Model.Open(_folder.Path));
        Assert.Equal(Gpt2Error.WrongArchitecture, fault.Error);
        Assert.Contains("hparams.json' says n_head = 4, where '", fault.Message, StringComparison.Ordinal);
        Assert.Contains("config.json' says 3; delete the file", fault.Message, StringComparison.Ordinal);
    }

    private static float[] Logits(Gpt2Model model) => Logits(model, Kernels.Best, threads: 1, portion: Ids.Length);

    private static float[] Logits(Gpt2Model model, Kernels kernels, int threads, int portion)
    {
        using var context = new Gpt2Context(model, threads, kernels);
        int vocabulary = model.HyperParameters.NVocab;
        float[] logits = new float[Ids.Length * vocabulary];
        for (int first = 0; first < Ids.Length; first += portion)
        {
            int count = Math.Min(portion, Ids.Length - first);
            context.Forward(Ids.AsSpan(first, count), logits.AsSpan(first * vocabulary, count * vocabulary));
        }

        return logits;
    }

    private static void AssertClose(double[] expected, float[] actual, double tolerance = Tolerance)
    {
        double scale = Math.Sqrt(expected.Average(value => value * value));
        double error = expected.Zip(actual, (a, b) => Math.Abs(a - b)).Max();
        Assert.True(error < tolerance * scale, $"off by {error}, where the logits are of the size {scale}");
    }

    private static List<(string Name, string Type, long[] Shape, byte[] Bytes)> TensorsOf(Gpt2HyperParameters h) =>
    [
        .. Gpt2Architecture.Leaves(h).Select((leaf, i) =>
        {
            var random = new Random64((ulong)(7 + i));
            float middle = leaf.Kind == Gpt2LeafKind.Gain ? 1 : 0;
            float[] values = [.. Enumerable.Range(0, (int)leaf.Count).Select(_ => middle + (((float)random.NextDouble() - 0.5f) * 0.8f))];
            return (HuggingFaceFolder.NameOf(leaf.Name), "F32", leaf.Shape.Select(d => (long)d).ToArray(), MemoryMarshal.AsBytes(values.AsSpan()).ToArray());
        }),
    ];

    private void Write(string config, Gpt2HyperParameters h)
    {
        string keys = $"\"n_layer\": {h.NLayer}, \"n_head\": {h.NHead}, \"n_embd\": {h.NEmbd}, \"n_positions\": {h.NCtx}, \"vocab_size\": {h.NVocab}";
        File.WriteAllText(_folder.File("config.json"), $"{{\"model_type\": \"gpt2\", {keys}, {config}}}");
        File.WriteAllBytes(_folder.File("model.safetensors"), SafetensorsBytes.Of(TensorsOf(h)));
    }
}

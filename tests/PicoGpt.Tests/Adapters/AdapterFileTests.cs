using System.Runtime.InteropServices;
using PicoGpt.Adapters;
using PicoGpt.Checkpoints;
using PicoGpt.Checkpoints.Safetensors;
using PicoGpt.Numerics;
using Xunit;

namespace PicoGpt.Tests.Adapters;

/// <summary>Adapters as PEFT writes them: read, and refused where they are of what is not read.</summary>
public sealed class AdapterFileTests : IDisposable
{
    private const string Config = """
        { "peft_type": "LORA", "base_model_name_or_path": "gpt2", "r": 2, "lora_alpha": 5, "lora_dropout": 0.1, "bias": "none", "fan_in_fan_out": true,
          "target_modules": ["c_attn"], "modules_to_save": null, "rank_pattern": {}, "use_dora": false, "init_lora_weights": true, "task_type": "CAUSAL_LM" }
        """;

    private readonly TemporaryFolder _folder = new();
    private readonly TemporaryFolder _files = RandomModel.InFolder(Shapes.Odd);
    private readonly Gpt2Model _model;

    public AdapterFileTests() => _model = Gpt2Model.Open(_files.Path);

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
        _files.Dispose();
    }

    [Theory]
    [InlineData("base_model.model.transformer.h.1.attn.c_attn.lora_{0}.weight")]
    [InlineData("base_model.model.h.1.attn.c_attn.lora_{0}.weight")]
    [InlineData("base_model.model.transformer.h.1.attn.c_attn.lora_{0}.default.weight")]
    public void What_PEFT_writes_is_added_to_the_projections(string name)
    {
        (float[] a, float[] b) = Write(name);
        AssertAdded(a, b, scale: 5 / 2.0);
    }

    [Fact]
    public void Rank_stabilized_adapters_are_divided_by_the_root_of_the_rank()
    {
        (float[] a, float[] b) = Write("base_model.model.transformer.h.1.attn.c_attn.lora_{0}.weight", Config.Replace("\"r\": 2", "\"use_rslora\": true, \"r\": 2", StringComparison.Ordinal));
        AssertAdded(a, b, scale: 5 / Math.Sqrt(2));
    }

    [Fact]
    public void Matrices_of_half_precision_are_read_too()
    {
        (float[] a, float[] b) = Write("base_model.model.transformer.h.1.attn.c_attn.lora_{0}.weight", dtype: TensorDType.Float16);
        AssertAdded([.. a.Select(v => (float)(Half)v)], [.. b.Select(v => (float)(Half)v)], scale: 5 / 2.0);
    }

    [Theory]
    [InlineData("\"peft_type\": \"LORA\"", "\"peft_type\": \"IA3\"", "kind 'IA3'")]
    [InlineData("\"use_dora\": false", "\"use_dora\": true", "use_dora")]
    [InlineData("\"modules_to_save\": null", "\"modules_to_save\": [\"wte\"]", "modules_to_save")]
    [InlineData("\"rank_pattern\": {}", "\"rank_pattern\": {\"c_fc\": 4}", "rank_pattern")]
    [InlineData("\"bias\": \"none\"", "\"bias\": \"all\"", "bias = 'all'")]
    [InlineData("\"init_lora_weights\": true", "\"init_lora_weights\": \"pissa_niter_4\"", "pissa_niter_4")]
    [InlineData("\"r\": 2", "\"r\": 3", "the rank 3 of adapter_config.json need [3, 21]")]
    [InlineData("\"r\": 2", "\"r\": 0", "a rank from 1")]
    [InlineData("\"r\": 2", "\"r\": \"two\"", "is not PEFT's configuration")]
    [InlineData("\"r\": 2,", "", "is not PEFT's configuration")]
    public void A_configuration_of_what_is_not_read_is_refused_by_name(string from, string to, string expected)
    {
        Write("base_model.model.transformer.h.1.attn.c_attn.lora_{0}.weight", Config.Replace(from, to, StringComparison.Ordinal));
        Assert.Contains(expected, Fault(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("base_model.model.transformer.h.7.attn.c_attn.lora_{0}.weight", "'base_model.model.transformer.h.7.attn.c_attn.lora_A.weight'")]
    [InlineData("base_model.model.transformer.wte.lora_embedding_{0}", "lora_embedding_A")]
    [InlineData("base_model.model.transformer.h.1.mlp.c_proj.lora_{0}.weight", "[2, 21], where")]
    public void Tensors_that_the_model_has_no_place_for_are_refused_by_name(string name, string expected)
    {
        Write(name);
        string fault = Fault();
        Assert.Contains(expected, fault, StringComparison.Ordinal);
        Assert.Contains("it was trained on 'gpt2'", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_names_of_one_matrix_are_refused()
    {
        File.WriteAllText(_folder.File(AdapterConfig.FileName), Config);
        string[] names = ["transformer.h.1.attn.c_attn.lora_A.weight", "h.1.attn.c_attn.lora_A.default.weight"];
        using (var writer = new SafetensorsWriter(_folder.File(AdapterFile.FileName), [.. names.Select(name => new TensorDescription(name, TensorDType.Float32, new TensorShape(2, 21)))]))
        {
            foreach (string name in names) writer.Add(name, TensorDType.Float32, new TensorShape(2, 21), new byte[2 * 21 * 4]);
            writer.Finish();
        }

        Assert.Contains($"has '{names[0]}' and '{names[1]}', of which only one can be meant", Fault(), StringComparison.Ordinal);
    }

    [Fact]
    public void One_matrix_without_the_other_and_a_folder_without_an_adapter_are_refused()
    {
        Assert.Contains("holds no adapter", Fault(), StringComparison.Ordinal);
        Write("base_model.model.transformer.h.1.attn.c_attn.lora_{0}.weight", alone: true);
        Assert.Contains("without the other matrix", Fault(), StringComparison.Ordinal);
        File.Delete(_folder.File(AdapterFile.FileName));
        Assert.Equal(Gpt2Error.FileNotFound, Assert.Throws<Gpt2Exception>(() => _model.WithAdapter(_folder.Path)).Error);
    }

    [Fact]
    public void Texts_beside_the_matrices_that_are_not_UTF_8_are_refused()
    {
        Write("base_model.model.transformer.h.1.attn.c_attn.lora_{0}.weight");
        byte[] bytes = File.ReadAllBytes(_folder.File(AdapterFile.FileName));
        bytes[bytes.AsSpan().IndexOf("\"pt\""u8) + 1] = 0xFF;
        TestFile.Overwrite(_folder.File(AdapterFile.FileName), bytes);
        Assert.Contains("its header is not valid JSON", Fault(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_with_an_adapter_is_named_after_both_and_closed_with_its_own()
    {
        Write("base_model.model.transformer.h.1.attn.c_attn.lora_{0}.weight");
        using Gpt2Model opened = Gpt2Model.Open(_files.Path);
        using Gpt2Model adapted = opened.WithAdapter(_folder.Path);
        Assert.Equal($"{opened.Name} + {Path.GetFileName(_folder.Path)}", adapted.Name);
        Assert.Equal("Once", adapted.Encoder.Decode(adapted.Encoder.Encode("Once")));
        opened.Dispose();
        Assert.Throws<ObjectDisposedException>(() => adapted.Parameters.Blocks[1].Attn.CAttn.W.ToArray());
    }

    private string Fault() => Assert.Throws<Gpt2Exception>(() => _model.WithAdapter(_folder.Path).Dispose()).Message;

    private void AssertAdded(float[] a, float[] b, double scale)
    {
        using Gpt2Model adapted = _model.WithAdapter(_folder.File(AdapterConfig.FileName));
        float[] w = _model.Parameters.Blocks[1].Attn.CAttn.W.ToArray(), actual = adapted.Parameters.Blocks[1].Attn.CAttn.W.ToArray();
        for (int i = 0; i < 21; i++)
        {
            for (int o = 0; o < 63; o++)
            {
                double added = Enumerable.Range(0, 2).Sum(k => (double)b[(o * 2) + k] * a[(k * 21) + i]) * scale; // PEFT: scale · (B·A)ᵀ
                Assert.Equal(w[(i * 63) + o] + added, actual[(i * 63) + o], 1e-6);
            }
        }

        Assert.Equal(_model.Parameters.Blocks[0].Attn.CAttn.W.ToArray(), adapted.Parameters.Blocks[0].Attn.CAttn.W.ToArray());
        Assert.Equal(_model.Parameters.Wte.ToArray(), adapted.Parameters.Wte.ToArray());
    }

    // A [2, 21] and B [63, 2], by PEFT's layout.
    private (float[] A, float[] B) Write(string name, string config = Config, TensorDType dtype = TensorDType.Float32, bool alone = false)
    {
        var random = new Random64(4);
        float[] a = [.. Enumerable.Range(0, 2 * 21).Select(_ => (float)random.NextDouble() - 0.5f)], b = [.. Enumerable.Range(0, 63 * 2).Select(_ => (float)random.NextDouble() - 0.5f)];
        (string Name, TensorShape Shape, float[] Values)[] tensors =
            [(string.Format(null, name, "A"), new TensorShape(2, 21), a), (string.Format(null, name, "B"), new TensorShape(63, 2), b)];
        if (alone) tensors = tensors[..1];
        File.WriteAllText(_folder.File(AdapterConfig.FileName), config);
        using var writer = new SafetensorsWriter(_folder.File(AdapterFile.FileName), [.. tensors.Select(t => new TensorDescription(t.Name, dtype, t.Shape))]);
        foreach ((string tensor, TensorShape shape, float[] values) in tensors)
            writer.Add(tensor, dtype, shape, dtype == TensorDType.Float32 ? MemoryMarshal.AsBytes(values.AsSpan()) : TensorConversion.FromFloats(dtype, values));
        writer.Finish();
        return (a, b);
    }
}

using System.Runtime.InteropServices;
using PicoGpt.Architecture;
using PicoGpt.Checkpoints;
using PicoGpt.Fuzz;
using PicoGpt.Inference;
using PicoGpt.Tests.Checkpoints;
using PicoGpt.Weights;
using Xunit;

namespace PicoGpt.Tests.Weights;

public sealed class HuggingFaceModelTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Gpt2Model _original;

    public HuggingFaceModelTests()
    {
        RandomModel.Write(_folder.File("openai"), Shapes.FiveHeads, seed: 9);
        _original = Gpt2Model.Open(_folder.File("openai"));
    }

    private string Folder => _folder.File("hf");

    public void Dispose()
    {
        _original.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("transformer.")]
    [InlineData("")]
    public void A_folder_says_what_the_original_says(string prefix)
    {
        HuggingFaceFolder.Write(Folder, _original, HuggingFaceFolder.Tensors(_original, prefix));
        AssertSame();
    }

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("config.json")]
    public void A_model_opens_by_a_file_of_its_folder(string file)
    {
        HuggingFaceFolder.Write(Folder, _original);
        using Gpt2Model model = Gpt2Model.Open(Path.Combine(Folder, file));
        Assert.Equal("hf", model.Name);
        Assert.Equal(Folder, model.Path);
    }

    [Fact]
    public void A_folder_with_several_files_says_the_same()
    {
        HuggingFaceFolder.WriteRest(Folder, _original);
        List<(string Name, string Type, long[] Shape, byte[] Bytes)> tensors = HuggingFaceFolder.Tensors(_original);
        File.WriteAllBytes(Path.Combine(Folder, "model-00001-of-00002.safetensors"), SafetensorsBytes.Of(tensors[..7]));
        File.WriteAllBytes(Path.Combine(Folder, "model-00002-of-00002.safetensors"), SafetensorsBytes.Of(tensors[7..]));
        string map = string.Join(", ", tensors.Select((t, i) => $"\"{t.Name}\": \"model-0000{(i < 7 ? 1 : 2)}-of-00002.safetensors\""));
        File.WriteAllText(Path.Combine(Folder, "model.safetensors.index.json"), $$"""{"metadata": {"total_size": 1}, "weight_map": { {{map}} } }""");
        AssertSame();
    }

    [Theory]
    [InlineData("transformer.", "transformer.wte.weight")]
    [InlineData("", "wte.weight")]
    public void A_folder_of_PyTorch_s_says_the_same(string prefix, string tied)
    {
        HuggingFaceFolder.WriteRest(Folder, _original);
        List<(string Name, string Type, long[] Shape, byte[] Bytes)> tensors = HuggingFaceFolder.Tensors(_original, prefix);
        Assert.Equal(tied, tensors[0].Name);
        WriteTorch("pytorch_model.bin", tensors, ("lm_head.weight", Pickled(tensors[0], 0)));
        AssertSame();
    }

    [Fact]
    public void A_folder_with_several_files_of_PyTorch_s_says_the_same()
    {
        HuggingFaceFolder.WriteRest(Folder, _original);
        List<(string Name, string Type, long[] Shape, byte[] Bytes)> tensors = HuggingFaceFolder.Tensors(_original);
        WriteTorch("pytorch_model-00001-of-00002.bin", tensors[..7]);
        WriteTorch("pytorch_model-00002-of-00002.bin", tensors[7..]);
        string map = string.Join(", ", tensors.Select((t, i) => $"\"{t.Name}\": \"pytorch_model-0000{(i < 7 ? 1 : 2)}-of-00002.bin\""));
        File.WriteAllText(Path.Combine(Folder, "pytorch_model.bin.index.json"), $$"""{"weight_map": { {{map}} } }""");
        AssertSame();
    }

    [Fact]
    public void Masks_and_a_tied_output_projection_are_no_weights()
    {
        List<(string Name, string Type, long[] Shape, byte[] Bytes)> tensors = HuggingFaceFolder.Tensors(_original);
        tensors.Add(("transformer.h.0.attn.bias", "U8", [1, 1, 2, 2], [1, 0, 1, 1]));
        tensors.Add(("transformer.h.0.attn.masked_bias", "F32", [], [0, 0, 0, 0]));
        tensors.Add(tensors[0] with { Name = "lm_head.weight" });
        HuggingFaceFolder.Write(Folder, _original, tensors);
        AssertSame();
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("\"tie_word_embeddings\": true, ", true)]
    [InlineData("\"tie_word_embeddings\": false, ", false)]
    public void An_output_projection_that_is_not_the_embedding_is_used_and_told_where_the_config_says_otherwise(string said, bool isTold)
    {
        List<(string Name, string Type, long[] Shape, byte[] Bytes)> tensors = HuggingFaceFolder.Tensors(_original);
        float[] output = [.. _original.Parameters.Wte.ToArray().Select(value => -value)];
        tensors.Add(tensors[0] with { Name = "lm_head.weight", Bytes = MemoryMarshal.AsBytes(output.AsSpan()).ToArray() });
        HuggingFaceFolder.Write(Folder, _original, tensors);
        string config = Path.Combine(Folder, "config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"n_inner\"", said + "\"n_inner\""));
        using Gpt2Model model = Gpt2Model.Open(Folder);
        Assert.Equal(output, model.Parameters.LmHead.ToArray());
        using Gpt2Model clone = model.Clone("clone");
        foreach (string? told in (string?[])[model.Contradiction, clone.Contradiction])
        {
            if (isTold) Assert.StartsWith($"'lm_head.weight' in '{Path.Combine(Folder, "model.safetensors")}' is not the embedding, though '{config}' says that it is", told);
            else Assert.Null(told);
        }
    }

    [Fact]
    public void An_output_projection_of_more_than_2_GiB_is_compared_with_the_embedding()
    {
        const int Vocabulary = 1_100_000, Width = 1024;
        const long Size = (long)Vocabulary * Width * 2;
        string path = Path.Combine(Folder, "model.safetensors");
        Directory.CreateDirectory(Folder);
        SafetensorsBytes.WriteZeros(path, value: 1, ("transformer.wte.weight", "F16", [Vocabulary, Width], Size), ("lm_head.weight", "F16", [Vocabulary, Width], Size));
        using ITensorSource source = ModelFiles.OpenWeights(path, TestContext.Current.CancellationToken);
        var h = new Gpt2HyperParameters(Vocabulary, 8, Width, 16, 1);
        Assert.False(TensorMatch.Fit(source, h, TestContext.Current.CancellationToken).TieWordEmbeddings);
    }

    [Fact]
    public void What_is_no_weight_of_a_GPT_2_is_named()
    {
        List<(string Name, string Type, long[] Shape, byte[] Bytes)> tensors = HuggingFaceFolder.Tensors(_original);
        tensors.Add(("adapter.weight", "F32", [1], [0, 0, 0, 0]));
        AssertRefused(tensors, "surplus: adapter.weight. A model that has more than GPT-2 is not run.");
    }

    [Theory]
    [InlineData("transformer.h.0.attn.c_attn.qweight", "weights that GPTQ or AWQ packed into few bits, such as 'transformer.h.0.attn.c_attn.qweight'; give the model that was")]
    [InlineData("transformer.h.0.attn.c_attn.SCB", "weights that bitsandbytes packed into 8 bits")]
    [InlineData("transformer.h.0.mlp.c_fc.weight.quant_state.bitsandbytes__nf4", "weights that bitsandbytes packed into 4 bits")]
    [InlineData("base_model.model.transformer.h.0.attn.c_attn.lora_A.weight", "an adapter of LoRA")]
    [InlineData("transformer.h.0.crossattention.c_attn.weight", "the cross-attention of a decoder")]
    public void What_stands_in_place_of_weights_is_called_by_its_name(string name, string part)
    {
        List<(string Name, string Type, long[] Shape, byte[] Bytes)> tensors = HuggingFaceFolder.Tensors(_original);
        tensors.RemoveAll(tensor => tensor.Name.EndsWith("h.0.attn.c_attn.weight", StringComparison.Ordinal));
        tensors.Add((name, "I32", [1], [0, 0, 0, 0]));
        AssertRefused(tensors, part, Gpt2Error.Unsupported);
    }

    [Fact]
    public void Missing_and_misshapen_weights_have_the_names_of_the_file()
    {
        List<(string Name, string Type, long[] Shape, byte[] Bytes)> tensors = HuggingFaceFolder.Tensors(_original);
        tensors[4] = tensors[4] with { Shape = [90, 30] };
        tensors.RemoveAt(3);
        AssertRefused(tensors, "missing: transformer.h.0.ln_1.bias; misshapen: transformer.h.0.attn.c_attn.weight [90, 30] (expected [30, 90])");
    }

    [Theory]
    [InlineData("F16", TensorDType.Float16)]
    [InlineData("BF16", TensorDType.BFloat16)]
    public void Half_precision_is_widened_when_it_is_read(string type, TensorDType dtype)
    {
        HuggingFaceFolder.Write(Folder, _original, [.. HuggingFaceFolder.Tensors(_original).Select(t => t with { Type = type, Bytes = Halve(t.Bytes, type) })]);
        using Gpt2Model model = Gpt2Model.Open(Folder);
        Assert.All(model.Parameters, weight => Assert.Equal(dtype, weight.DType));
        float[] exact = _original.Parameters.Wte.ToArray(), read = model.Parameters.Wte.ToArray();
        float[] expected = type == "F16"
            ? [.. exact.Select(v => (float)(Half)v)]
            : [.. exact.Select(v => BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(v) & 0xFFFF0000))];
        Assert.Equal(expected, read);
        Assert.Equal(5, TextGeneration.Run(model, "a", new GenerationOptions { MaxTokens = 5, IgnoreEndOfText = true }).Ids.Count);
    }

    [Fact]
    public void Without_a_config_the_shapes_tell()
    {
        RandomModel.Write(_folder.File("64"), Shapes.FiveHeads with { NEmbd = 128, NHead = 2 });
        using (Gpt2Model model = Gpt2Model.Open(_folder.File("64"))) HuggingFaceFolder.Write(Folder, model);
        File.Delete(Path.Combine(Folder, "config.json"));
        using Gpt2Model read = Gpt2Model.Open(Folder);
        Assert.Equal(Shapes.FiveHeads with { NEmbd = 128, NHead = 2 }, read.HyperParameters);
    }

    [Theory]
    [InlineData("\"gelu_new\"", "\"quick_gelu\"", "activation_function = \"quick_gelu\"; the activations that are computed are gelu_new,")]
    [InlineData("\"gelu_new\"", "null", "activation_function = null")]
    [InlineData("\"model_type\": \"gpt2\"", "\"model_type\": \"gpt_neo\"", "model_type = \"gpt_neo\"")]
    [InlineData("1e-05", "0", "layer_norm_epsilon = 0; expected a number between 0 and 1")]
    [InlineData("1e-05", "\"1e-05\"", "layer_norm_epsilon = \"1e-05\"")]
    [InlineData("1e-05", "1e999", "layer_norm_epsilon = 1e999")]
    [InlineData("\"n_inner\"", "\"scale_attn_by_inverse_layer_idx\": 1, \"n_inner\"", "scale_attn_by_inverse_layer_idx = 1; expected true or false")]
    [InlineData("\"n_inner\"", "\"scale_attn_weights\": null, \"n_inner\"", "scale_attn_weights = null")]
    [InlineData("\"n_inner\"", "\"tie_word_embeddings\": \"yes\", \"n_inner\"", "tie_word_embeddings = \"yes\"")]
    [InlineData("\"n_inner\"", "\"add_cross_attention\": true, \"n_inner\"", "add_cross_attention = true")]
    [InlineData("\"n_inner\"", "\"pruned_heads\": {\"0\": [1]}, \"n_inner\"", "pruned_heads = {\"0\": [1]}")]
    [InlineData("\"n_inner\"", "\"quantization_config\": {\"bits\": 4}, \"n_inner\"", "quantization_config = {\"bits\": 4}")]
    [InlineData("\"n_inner\"", "\"auto_map\": {\"AutoModelForCausalLM\": \"other.Other\"}, \"n_inner\"", "a model's own program is not run")]
    public void A_model_that_computes_otherwise_is_refused(string old, string with, string part)
    {
        HuggingFaceFolder.Write(Folder, _original);
        Edit(old, with);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Gpt2Model.Open(Folder));
        Assert.Equal(Gpt2Error.Unsupported, fault.Error);
        Assert.Contains(part, fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"n_layer\": 2", "\"n_layer\": \"two\"", "says n_layer = \"two\"; expected a whole number from 1 to 16,777,216.")]
    [InlineData("\"n_layer\": 2", "\"n_layer\": 2.0", "says n_layer = 2.0;")]
    [InlineData("\"n_layer\": 2,", "", "has no number named n_layer; is it GPT-2's config.json?")]
    [InlineData("\"n_layer\": 2", "\"n_layer\": 2, \"n_layer\": 3", "has the name 'n_layer' twice in one object")]
    [InlineData("\"n_layer\": 2,", "\"n_layer\": 2,,", "is not valid JSON (line 1, byte ")]
    [InlineData("\"n_head\": 5", "\"n_head\": 7", "multiple")]
    [InlineData("\"n_inner\": null", "\"n_inner\": 0", "n_inner = 0")]
    [InlineData("\"n_inner\": null", "\"n_inner\": -5", "n_inner = -5")]
    [InlineData("\"n_inner\": null", "\"n_inner\": \"120\"", "n_inner = \"120\"")]
    [InlineData("\"n_inner\": null", "\"n_inner\": 99999999999", "n_inner = 99999999999")]
    [InlineData("\"n_inner\": null", "\"n_inner\": 2000000000", "n_inner = 2000000000")]
    [InlineData("\"n_inner\"", "\"\\ud800\": 1, \"n_inner\"", "")]
    [InlineData("\"n_head\"", "\"num_attention_heads\": 6, \"n_head\"", "n_head = 5 and num_attention_heads = 6")]
    [InlineData("{\"model_type\"", "[{\"model_type\"", "is not valid JSON")]
    public void A_config_that_makes_no_sense_is_refused(string old, string with, string part)
    {
        HuggingFaceFolder.Write(Folder, _original);
        Edit(old, with);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Gpt2Model.Open(Folder));
        Assert.Contains("config.json", fault.Message, StringComparison.Ordinal);
        Assert.Contains(part, fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" \r\n")]
    [InlineData("\uFEFF")]
    public void An_empty_config_is_called_empty(string content)
    {
        HuggingFaceFolder.Write(Folder, _original);
        File.WriteAllText(Path.Combine(Folder, "config.json"), content);
        Assert.Contains("config.json' is empty; copy", Assert.Throws<Gpt2Exception>(() => Gpt2Model.Open(Folder)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void One_file_of_several_asks_for_the_others()
    {
        HuggingFaceFolder.WriteRest(Folder, _original);
        string part = Path.Combine(Folder, "model-00001-of-00002.safetensors");
        File.WriteAllBytes(part, SafetensorsBytes.Of(HuggingFaceFolder.Tensors(_original)[..7]));
        Assert.Contains(
            "has one file of a checkpoint in several, 'model-00001-of-00002.safetensors', but not 'model.safetensors.index.json'",
            Assert.Throws<Gpt2Exception>(() => Gpt2Model.Open(Folder)).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "It is one file of several: give the folder of all of them, with 'model.safetensors.index.json'.",
            Assert.Throws<Gpt2Exception>(() => Gpt2Model.Open(part)).Message,
            StringComparison.Ordinal);
        string whole = Path.Combine(Folder, "model-00001-of-00001.safetensors");
        File.Delete(part);
        File.WriteAllBytes(whole, SafetensorsBytes.Of(HuggingFaceFolder.Tensors(_original)));
        AssertSame();
    }

    [Fact]
    public void Numbers_under_the_names_that_transformers_has_for_every_model_are_read()
    {
        HuggingFaceFolder.Write(Folder, _original);
        Edit("\"n_head\"", "\"num_attention_heads\"");
        Edit("\"n_embd\"", "\"hidden_size\"");
        Edit("\"n_layer\"", "\"num_hidden_layers\": 2, \"n_layer\"");
        AssertSame();
    }

    private static byte[] Halve(byte[] bytes, string type)
    {
        ReadOnlySpan<float> values = MemoryMarshal.Cast<byte, float>(bytes);
        byte[] halves = new byte[bytes.Length / 2];
        for (int i = 0; i < values.Length; i++)
        {
            if (type == "F16") BitConverter.TryWriteBytes(halves.AsSpan(2 * i), (Half)values[i]);
            else BitConverter.TryWriteBytes(halves.AsSpan(2 * i), (ushort)(BitConverter.SingleToUInt32Bits(values[i]) >> 16));
        }

        return halves;
    }

    private void Edit(string old, string with)
    {
        string path = Path.Combine(Folder, "config.json"), text = File.ReadAllText(path);
        Assert.Contains(old, text, StringComparison.Ordinal);
        File.WriteAllText(path, text.Replace(old, with, StringComparison.Ordinal));
    }

    private void AssertRefused(List<(string Name, string Type, long[] Shape, byte[] Bytes)> tensors, string part, Gpt2Error error = Gpt2Error.WrongArchitecture)
    {
        HuggingFaceFolder.Write(Folder, _original, tensors);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Gpt2Model.Open(Folder));
        Assert.Equal(error, fault.Error);
        Assert.Contains(part, fault.Message, StringComparison.Ordinal);
    }

    private void WriteTorch(
        string file, List<(string Name, string Type, long[] Shape, byte[] Bytes)> tensors, params (string Name, string Tensor)[] views)
    {
        byte[] pickle = TorchBytes.StateDictionary([.. tensors.Select((tensor, i) => (tensor.Name, Pickled(tensor, i))), .. views]);
        File.WriteAllBytes(Path.Combine(Folder, file), TorchBytes.Archive(pickle, tensors.Select((tensor, i) => ($"{i}", tensor.Bytes))));
    }

    private static string Pickled((string Name, string Type, long[] Shape, byte[] Bytes) tensor, int storage) =>
        TorchBytes.Tensor("FloatStorage", $"{storage}", tensor.Bytes.Length / sizeof(float), tensor.Shape);

    private void AssertSame()
    {
        using Gpt2Model model = Gpt2Model.Open(Folder);
        Assert.Equal(Shapes.FiveHeads, model.HyperParameters);
        Assert.All(_original.Parameters.Zip(model.Parameters), pair => Assert.Equal(pair.First.ToArray(), pair.Second.ToArray()));
        var options = new GenerationOptions { MaxTokens = 8, IgnoreEndOfText = true };
        Assert.Equal(TextGeneration.Run(_original, "hello", options).Ids, TextGeneration.Run(model, "hello", options).Ids);
    }
}

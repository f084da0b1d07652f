using PicoGpt.Architecture;
using PicoGpt.Checkpoints.Gguf;
using PicoGpt.Exporting;
using PicoGpt.Fuzz;
using PicoGpt.Inference;
using PicoGpt.Store;
using PicoGpt.Tests.Inference;
using Xunit;

namespace PicoGpt.Tests.Weights;

public sealed class GgufModelTests : IDisposable
{
    private static readonly Gpt2HyperParameters Shape = new(NVocab: 300, NCtx: 32, NEmbd: 64, NHead: 4, NLayer: 2);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_file_of_llama_cpp_s_layout_says_what_the_model_says_to_the_bit()
    {
        using Gpt2Model model = BuiltInModel.Open();
        using Gpt2Model read = Open(GgufModelBytes.Metadata(model), GgufModelBytes.Tensors(model));
        Assert.Equal(model.HyperParameters, read.HyperParameters);
        Assert.All(model.Parameters.Zip(read.Parameters), pair => Assert.Equal(pair.First.ToArray(), pair.Second.ToArray()));
        Assert.Equal(model.Encoder.EndOfText, read.Encoder.EndOfText);
        int[] ids = model.Encoder.Encode("The king, and 12 queens' 3rd don't-you \n\n  x");
        Assert.Equal(ids, read.Encoder.Encode("The king, and 12 queens' 3rd don't-you \n\n  x"));
        using Gpt2Context expected = new(model), actual = new(read);
        Assert.Equal(expected.Forward(ids).ToArray(), actual.Forward(ids).ToArray());
    }

    [Theory]
    [InlineData(Gpt2Precision.Float32, "Float32", 0)]
    [InlineData(Gpt2Precision.Float16, "Float16", 1)]
    [InlineData(Gpt2Precision.BFloat16, "BFloat16", 32)]
    [InlineData(Gpt2Precision.Int8, "Q8_0", 7)]
    public void An_export_has_what_llama_cpp_s_loader_asks_for(Gpt2Precision precision, string type, long fileType)
    {
        using Gpt2Model model = BuiltInModel.Open();
        ModelExport export = ModelExport.Plan(model, _folder.File("out"), "Gguf", precision: precision);
        export.Run();
        Assert.Equal([_folder.File("out/model.gguf")], export.Files);
        using GgufSource source = GgufSource.Open(export.Files[0]);
        GgufMetadata metadata = source.Metadata;
        Assert.Equal(("gpt2", "model", "3M"), (metadata.Text("general.architecture"), metadata.Text("general.type"), metadata.Text("general.name")));
        Assert.Equal((fileType, 2L), (metadata.Number("general.file_type"), metadata.Number("general.quantization_version")));
        Assert.Equal((256L, 192L, 768L), (metadata.Number("gpt2.context_length"), metadata.Number("gpt2.embedding_length"), metadata.Number("gpt2.feed_forward_length")));
        Assert.Equal((6L, 3L), (metadata.Number("gpt2.block_count"), metadata.Number("gpt2.attention.head_count")));
        Assert.Equal(1e-5, metadata.Real("gpt2.attention.layer_norm_epsilon")!.Value, 1e-9);
        Assert.Equal(("gpt2", "gpt-2"), (metadata.Text("tokenizer.ggml.model"), metadata.Text("tokenizer.ggml.pre")));
        Assert.Equal(2048, metadata.Texts("tokenizer.ggml.tokens")!.Length);
        Assert.Equal(2047, Array.IndexOf(metadata.Numbers("tokenizer.ggml.token_type", 2048)!, 3));
        Assert.Equal((2047L, 2047L), (metadata.Number("tokenizer.ggml.bos_token_id"), metadata.Number("tokenizer.ggml.eos_token_id")));
        Assert.Equal(File.ReadLines(Path.Combine(model.Path, "vocab.bpe")).Skip(1), metadata.Texts("tokenizer.ggml.merges"));
        Assert.False(metadata.Flag("tokenizer.ggml.add_bos_token"));

        Assert.All(source.Tensors, tensor => Assert.Equal(
            tensor.Shape.Rank == 2 && tensor.Name != "position_embd.weight" ? type : "Float32", tensor.Quantization ?? tensor.DType.ToString()));
        Assert.Equal("[576, 192]", source.Tensors.Single(tensor => tensor.Name == "blk.5.attn_qkv.weight").Shape.ToString());
        Assert.Equal("[192, 768]", source.Tensors.Single(tensor => tensor.Name == "blk.0.ffn_down.weight").Shape.ToString());
    }

    [Theory]
    [InlineData(Gpt2Precision.Float32, 0)]
    [InlineData(Gpt2Precision.Float16, 1e-3)]
    [InlineData(Gpt2Precision.BFloat16, 1e-2)]
    [InlineData(Gpt2Precision.Int8, 1e-2)]
    public void An_export_is_a_model_again(Gpt2Precision precision, double tolerance)
    {
        using Gpt2Model model = BuiltInModel.Open();
        ModelExport.Plan(model, _folder.File("out"), "Gguf", precision: precision).Run();
        using Gpt2Model exported = Gpt2Model.Open(_folder.File("out"));
        int[] ids = exported.Encoder.Encode("Once upon a time there was a king who");
        using Gpt2Context expected = new(model), actual = new(exported);
        AssertClose(Array.ConvertAll(expected.Forward(ids).ToArray(), value => (double)value), actual.Forward(ids), tolerance);
    }

    [Fact]
    public void A_model_with_quantized_matrices_and_embedding_runs_as_its_values_say()
    {
        using Gpt2Model model = Random(Shape with { NEmbd = 256 });
        List<(string Name, uint Type, long[] Dimensions, byte[] Data)> tensors = GgufModelBytes.Tensors(model);
        var random = new Random(3);
        Replace("token_embd.weight", 14, 210, [(208, 1e-5f)]);
        Replace("blk.0.attn_qkv.weight", 12, 144, [(0, 1e-4f), (2, 1e-4f)]);
        Replace("blk.0.ffn_down.weight", 10, 84, [(80, 1e-3f), (82, 1e-3f)]);
        Replace("blk.1.ffn_up.weight", 11, 110, [(108, 1e-4f)]);
        using Gpt2Model read = Open(GgufModelBytes.Metadata(model), tensors);
        Assert.Equal(["Q6_K", "Q4_K", "Q2_K", "Q3_K"], read.Parameters.Select(weight => weight.Quantization).OfType<string>());
        int[] ids = [1, 270, 33, 299];
        double[] plain = PlainForward.Logits(read, ids)[^300..];
        using var context = new Gpt2Context(read);
        AssertClose(plain, context.Forward(ids), 1e-4);

        void Replace(string name, uint type, int size, (int At, float Scale)[] scales)
        {
            int at = tensors.FindIndex(tensor => tensor.Name == name);
            byte[] data = new byte[tensors[at].Data.Length / sizeof(float) / 256 * size];
            random.NextBytes(data);
            for (int block = 0; block < data.Length; block += size)
            {
                foreach ((int offset, float scale) in scales) BitConverter.TryWriteBytes(data.AsSpan(block + offset), (Half)scale);
            }

            tensors[at] = (name, type, tensors[at].Dimensions, data);
        }
    }

    [Fact]
    public void Whatever_precision_it_runs_in_is_packed_from_the_values()
    {
        using Gpt2Model model = BuiltInModel.Open();
        ModelExport.Plan(model, _folder.File("out"), "Gguf", precision: Gpt2Precision.Float32).Run();
        using Gpt2Model exported = Gpt2Model.Open(_folder.File("out"), precision: Gpt2Precision.Int8), original = Gpt2Model.Open(BuiltInModel.Folder, precision: Gpt2Precision.Int8);
        int[] ids = original.Encoder.Encode("Once upon a time");
        using Gpt2Context expected = new(original), actual = new(exported);
        Assert.Equal(expected.Forward(ids).ToArray(), actual.Forward(ids).ToArray());
    }

    [Theory]
    [InlineData("Npz")]
    [InlineData("Safetensors")]
    [InlineData("TensorFlow")]
    [InlineData("Gguf")]
    public void Weights_and_vocabulary_go_on_into_every_format(string format)
    {
        using Gpt2Model model = BuiltInModel.Open();
        using Gpt2Model read = Open(GgufModelBytes.Metadata(model), GgufModelBytes.Tensors(model));
        ModelExport.Plan(read, _folder.File("on"), format).Run();
        using Gpt2Model exported = Gpt2Model.Open(_folder.File("on"));
        Assert.All(model.Parameters.Zip(exported.Parameters), pair => Assert.Equal(pair.First.ToArray(), pair.Second.ToArray()));
        const string Text = "\"The king's\" <|endoftext|>\t12 ünïcödé 𝓣";
        Assert.Equal(model.Encoder.Encode(Text, allowSpecial: true), exported.Encoder.Encode(Text, allowSpecial: true));
    }

    [Fact]
    public void Epsilon_inner_width_and_an_output_of_its_own_go_there_and_back_and_what_llama_cpp_does_not_compute_is_refused()
    {
        Gpt2HyperParameters shape = Shape with { NInner = 96, LayerNormEpsilon = 1e-6, TieWordEmbeddings = false };
        using Gpt2Model model = RandomHuggingFace(shape);
        ModelExport.Plan(model, _folder.File("family.gguf"), "Gguf").Run();
        using (Gpt2Model read = Gpt2Model.Open(_folder.File("family.gguf")))
        {
            Assert.Equal(shape, read.HyperParameters);
            Assert.Equal(model.Parameters.LmHead.ToArray(), read.Parameters.LmHead.ToArray());
        }

        foreach ((Gpt2HyperParameters other, string part) in new[]
        {
            (Shape with { Activation = Gpt2Activation.Gelu }, "activation_function = \"gelu\""), (Shape with { Bias = false }, "bias = false"),
            (Shape with { ScaleAttnWeights = false }, "scale_attn_weights = false"),
        })
        {
            using Gpt2Model refused = RandomHuggingFace(other);
            Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => ModelExport.Plan(refused, _folder.File("refused.gguf"), "Gguf"));
            Assert.Contains($"The model has {part}, which llama.cpp's GPT-2 does not compute", fault.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Tokens_that_a_file_calls_control_or_user_defined_are_found_whole()
    {
        using Gpt2Model model = Random(Shape);
        List<(string Key, byte[] Value)> metadata = GgufModelBytes.Metadata(model);
        string[] tokens = [.. Enumerable.Range(0, 300).Select(id => model.Encoder.GetSymbol(id))];
        int[] types = [.. tokens.Select(token => token == "<|endoftext|>" ? 3 : 1)];
        (tokens[297], types[297], tokens[298], types[298]) = ("<|sep|>", 3, "<br>", 4);
        Set(metadata, "tokenizer.ggml.tokens", GgufBytes.Texts(tokens));
        Set(metadata, "tokenizer.ggml.token_type", GgufBytes.Ints(types));
        Set(metadata, "tokenizer.ggml.eos_token_id", GgufBytes.UInt32(297));
        Set(metadata, "tokenizer.ggml.eot_token_id", GgufBytes.UInt32(299));
        Set(metadata, "tokenizer.ggml.bos_token_id", GgufBytes.UInt32(299));
        Set(metadata, "tokenizer.ggml.add_bos_token", GgufBytes.Bool(true));
        using Gpt2Model read = Open(metadata, GgufModelBytes.Tensors(model));
        ModelExport.Plan(read, _folder.File("again.gguf"), "Gguf").Run();
        using Gpt2Model again = Gpt2Model.Open(_folder.File("again.gguf"));
        ModelExport.Plan(again, _folder.File("hf"), "Safetensors").Run();
        using Gpt2Model huggingFace = Gpt2Model.Open(_folder.File("hf"));
        foreach (Gpt2Model either in (Gpt2Model[])[read, again, huggingFace])
        {
            Assert.Equal([299, 297, 298], either.Encoder.Encode("<|sep|><br>"));
            Assert.Equal(297, either.Encoder.SpecialTokens["<|sep|>"]);
            Assert.DoesNotContain("<br>", either.Encoder.SpecialTokens.Keys);
            Assert.Equal(299, either.SpecialIds.Begin);
            Assert.Equal([297, 299], either.SpecialIds.Ends);
        }
    }

    [Fact]
    public void The_token_that_ends_texts_is_special_whatever_its_type()
    {
        using Gpt2Model model = Random(Shape);
        List<(string Key, byte[] Value)> metadata = GgufModelBytes.Metadata(model);
        Set(metadata, "tokenizer.ggml.tokens", GgufBytes.Texts("a", "b", "ab", "</s>"));
        Set(metadata, "tokenizer.ggml.merges", GgufBytes.Texts("a b"));
        Set(metadata, "tokenizer.ggml.eos_token_id", GgufBytes.UInt32(3));
        metadata.RemoveAll(pair => pair.Key.EndsWith("token_type", StringComparison.Ordinal));
        using Gpt2Model read = Open(metadata, GgufModelBytes.Tensors(model));
        Assert.Equal(3, Assert.Single(read.Encoder.SpecialTokens).Value);
        Assert.Equal([2, 3], read.Encoder.Encode("ab</s>", allowSpecial: true));
    }

    [Fact]
    public void Rows_that_make_no_whole_blocks_stay_in_half_precision()
    {
        using Gpt2Model model = Random(Shape with { NEmbd = 40 });
        string path = _folder.File("m.gguf");
        ModelExport.Plan(model, path, "Gguf", precision: Gpt2Precision.Int8).Run();
        using Gpt2Model read = Gpt2Model.Open(path);
        Assert.Equal(("Float16", "Q8_0"), (read.Parameters.Wte.DType.ToString(), read.Parameters.Blocks[0].Mlp.CProj.W.Quantization));
    }

    [Fact]
    public void A_vocabulary_smaller_than_the_model_is_filled_up_and_one_that_is_larger_refused()
    {
        using Gpt2Model model = Random(Shape);
        List<(string Key, byte[] Value)> metadata = GgufModelBytes.Metadata(model);
        Set(metadata, "tokenizer.ggml.tokens", GgufBytes.Texts("a", "b", "ab", "<|endoftext|>"));
        Set(metadata, "tokenizer.ggml.merges", GgufBytes.Texts("a b"));
        metadata.RemoveAll(pair => pair.Key.EndsWith("token_type", StringComparison.Ordinal));
        using Gpt2Model few = Open(metadata, GgufModelBytes.Tensors(model));
        ModelExport.Plan(few, _folder.File("padded.gguf"), "Gguf").Run();
        using (GgufSource source = GgufSource.Open(_folder.File("padded.gguf")))
        {
            Assert.Equal(["a", "b", "ab", "<|endoftext|>", "[PAD4]"], source.Metadata.Texts("tokenizer.ggml.tokens")![..5]);
            Assert.Equal([1, 1, 1, 3, 5], source.Metadata.Numbers("tokenizer.ggml.token_type", 300)![..5]);
        }

        using Gpt2Model padded = Gpt2Model.Open(_folder.File("padded.gguf"));
        Assert.Equal((4, 3), (padded.Encoder.Count, padded.Encoder.MaxId));

        Set(metadata, "tokenizer.ggml.tokens", GgufBytes.Texts([.. Enumerable.Range(0, 301).Select(i => $"{(char)(0x4E00 + i)}")]));
        using Gpt2Model many = Open(metadata, GgufModelBytes.Tensors(model), "many.gguf");
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => ModelExport.Plan(many, _folder.File("x.gguf"), "Gguf"));
        Assert.Contains("has ids up to 300, but the model has only 300", fault.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(_folder.File("x.gguf")));
    }

    [Fact]
    public void Merges_that_lack_an_end_are_doubted_in_a_file_too()
    {
        Directory.CreateDirectory(_folder.File("cut"));
        foreach (string file in Directory.GetFiles(BuiltInModel.Folder)) File.Copy(file, _folder.File(Path.Combine("cut", Path.GetFileName(file))));
        string merges = _folder.File("cut/vocab.bpe");
        File.WriteAllLines(merges, File.ReadAllLines(merges).SkipLast(20));
        using Gpt2Model model = Gpt2Model.Open(_folder.File("cut"));
        ModelExport.Plan(model, _folder.File("cut.gguf"), "Gguf").Run();
        ModelCheck vocabulary = FolderChecker.Check(_folder.File("cut.gguf"), null, default).Single(check => check.Tensors == "vocabulary");
        Assert.StartsWith($"'{_folder.File("cut.gguf")}' has 1,771 merges, from which 20 of the 1,791 longer tokens", vocabulary.Doubt);
        Assert.True(vocabulary.IsValid);
    }

    public static TheoryData<string, byte[], string> OtherModels => new()
    {
        { "general.architecture", GgufBytes.Text("llama"), "is a model of the architecture 'llama'" },
        { "general.type", GgufBytes.Text("adapter"), "not a model but of the type 'adapter'" },
        { "gpt2.attention.layer_norm_epsilon", GgufBytes.Float32(1), "layer_norm_epsilon = 1, where GPT-2 has a number between 0 and 1" },
        { "gpt2.feed_forward_length", GgufBytes.UInt32(100), "blk.0.ffn_up.weight [256, 64] (expected [100, 64])" },
        { "gpt2.attention.head_count_kv", GgufBytes.UInt32(1), "head_count_kv = 1, where GPT-2 has 4" },
        { "gpt2.attention.causal", GgufBytes.Bool(false), "causal = false, where GPT-2 has true" },
        { "gpt2.attention.key_length", GgufBytes.UInt32(8), "key_length = 8, where GPT-2 has 16" },
        { "gpt2.attention.head_count", GgufBytes.UInt32(3), "n_head = 3" },
        { "gpt2.block_count", GgufBytes.UInt32(3), "missing: blk.2.attn_norm.weight" },
        { "gpt2.context_length", GgufBytes.UInt32(33), "position_embd.weight [32, 64] (expected [33, 64])" },
        { "gpt2.context_length", GgufBytes.Text("32"), "no whole number" },
    };

    [Theory]
    [MemberData(nameof(OtherModels))]
    public void A_model_of_another_kind_is_called_what_it_is(string key, byte[] value, string part)
    {
        using Gpt2Model model = Random(Shape);
        List<(string Key, byte[] Value)> metadata = GgufModelBytes.Metadata(model);
        Set(metadata, key, value);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Open(metadata, GgufModelBytes.Tensors(model)).Dispose());
        Assert.Contains(part, fault.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, byte[], string> OtherVocabularies => new()
    {
        { "tokenizer.ggml.model", GgufBytes.Text("llama"), "tokenizer.ggml.model = 'llama'" },
        { "tokenizer.ggml.pre", GgufBytes.Text("llama-bpe"), "tokenizer.ggml.pre = 'llama-bpe'" },
        { "tokenizer.ggml.add_eos_token", GgufBytes.Bool(true), "add_eos_token = true" },
        { "tokenizer.ggml.merges", GgufBytes.Texts("a b"), "has 1 merges, from which" },
        { "tokenizer.ggml.add_space_prefix", GgufBytes.Bool(true), "add_space_prefix = true" },
        { "tokenizer.ggml.tokens", GgufBytes.Texts([.. Enumerable.Range(0, 301).Select(i => $"t{i}")]), "has 301 tokens, but 300 types" },
        { "tokenizer.ggml.tokens", GgufBytes.Texts([.. Enumerable.Range(0, 300).Select(i => $"t{i / 2}")]), "two tokens with the same spelling, 0 and 1" },
        { "tokenizer.ggml.merges", GgufBytes.Texts("ab"), "merge 0 not two symbols" },
        { "tokenizer.ggml.merges", GgufBytes.Texts("a 中"), "U+4E2D" },
        { "tokenizer.ggml.merges", GgufBytes.UInt32(1), "no list of texts" },
    };

    [Theory]
    [MemberData(nameof(OtherVocabularies))]
    public void A_vocabulary_of_another_kind_is_called_what_it_is(string key, byte[] value, string part)
    {
        using Gpt2Model model = Random(Shape);
        List<(string Key, byte[] Value)> metadata = GgufModelBytes.Metadata(model);
        Set(metadata, key, value);
        using Gpt2Model read = Open(metadata, GgufModelBytes.Tensors(model));
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => read.Encoder.Encode("a"));
        Assert.Contains(part, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_types_of_an_export_can_be_chosen_and_what_a_format_does_not_have_is_refused()
    {
        using Gpt2Model model = Random(Shape);
        ModelExport.Plan(model, _folder.File("hf"), "Safetensors", precision: Gpt2Precision.BFloat16).Run();
        using (Gpt2Model read = Gpt2Model.Open(_folder.File("hf"))) Assert.All(read.Parameters, weight => Assert.Equal("BFloat16", weight.DType.ToString()));
        ModelExport.Plan(model, _folder.File("tf"), "TensorFlow", precision: Gpt2Precision.Float16).Run();
        using (Gpt2Model read = Gpt2Model.Open(_folder.File("tf")))
            Assert.All(read.Parameters.Zip(model.Parameters), pair => Assert.Equal(pair.Second.ToArray().Select(value => (float)(Half)value), pair.First.ToArray()));
        foreach ((string format, Gpt2Precision precision) in new[]
        {
            ("Npz", Gpt2Precision.BFloat16), ("Safetensors", Gpt2Precision.Int8), ("Gguf", Gpt2Precision.Int4) })
        {
            Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => ModelExport.Plan(model, _folder.File("no"), format, precision: precision));
            Assert.Contains($"not written in {precision} as {format}, but in Float32", fault.Message, StringComparison.Ordinal);
        }
    }

    private static void AssertClose(double[] expected, ReadOnlySpan<float> actual, double tolerance)
    {
        double largest = expected.Max(Math.Abs);
        for (int i = 0; i < expected.Length; i++) Assert.InRange(Math.Abs(actual[i] - expected[i]), 0, tolerance * largest);
    }

    private static void Set(List<(string Key, byte[] Value)> metadata, string key, byte[] value)
    {
        metadata.RemoveAll(pair => pair.Key == key);
        metadata.Add((key, value));
    }

    // As float32 under OpenAI's names, with a config.json that tells what those of OpenAI cannot.
    private Gpt2Model RandomHuggingFace(Gpt2HyperParameters shape)
    {
        RandomModel.Write(_folder.File("random"), shape, seed: 5);
        File.Delete(_folder.File("random/hparams.json"));
        File.WriteAllBytes(_folder.File("random/config.json"), HuggingFaceConfig.Format(shape, _ => { }, "float32"));
        return Gpt2Model.Open(_folder.File("random"));
    }

    private Gpt2Model Random(Gpt2HyperParameters shape)
    {
        RandomModel.Write(_folder.File("random"), shape, seed: 5);
        return Gpt2Model.Open(_folder.File("random"));
    }

    private Gpt2Model Open(List<(string Key, byte[] Value)> metadata, List<(string Name, uint Type, long[] Dimensions, byte[] Data)> tensors, string name = "a.gguf")
    {
        File.WriteAllBytes(_folder.File(name), GgufBytes.File(metadata, tensors));
        return Gpt2Model.Open(_folder.File(name));
    }
}

using PicoGpt.Architecture;
using PicoGpt.Weights;
using Xunit;
using static PicoGpt.Fuzz.TorchBytes;

namespace PicoGpt.Tests.Weights;

public sealed class TorchModelTests : IDisposable
{
    private static readonly Gpt2HyperParameters Shape = new(NVocab: 300, NCtx: 16, NEmbd: 24, NHead: 3, NLayer: 12);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Programs => [.. TorchModels.Programs.Keys];

    [Theory]
    [MemberData(nameof(Programs))]
    public void Every_program_s_names_and_layouts_are_the_same_model(string program)
    {
        using Gpt2Model model = Random();
        TestFile.Overwrite(_folder.File("random/model.pt"), TorchModels.File(model, program));
        using Gpt2Model read = Gpt2Model.Open(_folder.File("random/model.pt"));
        Assert.All(model.Parameters.Zip(read.Parameters), pair => Assert.Equal(pair.First.ToArray(), pair.Second.ToArray()));
        Assert.Empty(read.Parameters.LeftOut);
    }

    [Fact]
    public void Half_precision_is_joined_and_turned_as_it_is()
    {
        using Gpt2Model model = Random();
        Gpt2Weight attention = model.Parameters.Blocks[0].Attn.CAttn.W;
        foreach ((string format, string program) in new[] { ("pt", "rasbt"), ("pt", "nanoGPT") })
        {
            TestFile.Overwrite(_folder.File("random/model.pt"), TorchModels.File(model, program));
            using Gpt2Model read = Gpt2Model.Open(_folder.File("random/model.pt"));
            Gpt2Weight weight = read.Parameters.Blocks[0].Attn.CAttn.W;
            Assert.Equal(attention.Size, weight.Size);
            Assert.Equal(attention.ToArray(), System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(weight.Stored.GetBytes().Span).ToArray());
            Assert.NotEqual(attention.GetFingerprint(), weight.GetFingerprint());
        }
    }

    [Theory]
    [InlineData("transformers", "v_head.summary.weight")]
    [InlineData("transformers", "score.weight")]
    [InlineData("transformers", "multiple_choice_head.summary.bias")]
    [InlineData("DataParallel", "module.v_head.summary.weight")]
    [InlineData("TRL", "v_head.summary.weight")]
    [InlineData("trlX", "v_head.0.weight")]
    public void Heads_for_something_else_are_left_out_and_told(string program, string head)
    {
        using Gpt2Model model = Random();
        TestFile.Overwrite(_folder.File("random/model.pt"), TorchModels.File(model, program, null, (head, "ln_f/g")));
        using Gpt2Model read = Gpt2Model.Open(_folder.File("random/model.pt"));
        Assert.Equal([head], read.Parameters.LeftOut);
    }

    [Theory]
    [InlineData("transformers", "transformer.h.3.attn.bias", null)]
    [InlineData("transformers", "lm_head.weight", null)]
    [InlineData("transformers", "lm_head.decoder.weight", null)]
    [InlineData("DataParallel", "module.lm_head.weight", null)]
    [InlineData("nanoGPT", "lm_head.weight", null)]
    [InlineData("minGPT of 2020", "blocks.11.attn.mask", null)]
    [InlineData("minGPT of 2020", "head.weight", null)]
    [InlineData("rasbt", "trf_blocks.0.att.mask", null)]
    [InlineData("rasbt", "out_head.weight", null)]
    [InlineData("transformers", "transformer.h.3.attn.other", "surplus: transformer.h.3.attn.other")]
    [InlineData("transformers", "transformer.h.0.attn.c_attn.lora_A.weight", "an adapter of LoRA, such as 'transformer.h.0.attn.c_attn.lora_A.weight'")]
    [InlineData("transformers", "critic.transformer.wte.weight", "surplus: critic.transformer.wte.weight")]
    [InlineData("DataParallel", "v_head.summary.weight", "surplus: v_head.summary.weight")]
    public void Masks_and_tied_projections_lie_beside_and_what_else_does_is_called_by_its_name(string program, string name, string? part)
    {
        using Gpt2Model model = Random();
        TestFile.Overwrite(_folder.File("random/model.pt"), TorchModels.File(model, program, null, (name, "wte")));
        if (part is not null)
        {
            Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Gpt2Model.Open(_folder.File("random/model.pt")).Dispose());
            Assert.Contains(part, fault.Message, StringComparison.Ordinal);
            return;
        }

        using Gpt2Model read = Gpt2Model.Open(_folder.File("random/model.pt"));
        Assert.Empty(read.Parameters.LeftOut);
        Assert.Equal(model.Parameters.Wte.ToArray(), read.Parameters.Wte.ToArray());
    }

    [Fact]
    public void What_is_missing_is_called_by_the_program_s_own_name()
    {
        using Gpt2Model model = Random();
        Directory.CreateDirectory(_folder.File("deeper"));
        (Shape with { NLayer = 13 }).Save(_folder.File("deeper/hparams.json"));
        foreach ((string program, string part) in new[]
        {
            ("rasbt", "missing: trf_blocks.12.norm1.scale, trf_blocks.12.norm1.shift, trf_blocks.12.att.W_query.weight and 13 more."),
            ("minGPT of 2020", "missing: blocks.12.ln1.weight, blocks.12.ln1.bias, blocks.12.attn.query.weight and 13 more."),
            ("DataParallel", "module.transformer.h.12.ln_1.weight"),
        })
        {
            TestFile.Overwrite(_folder.File("deeper/model.pt"), TorchModels.File(model, program));
            Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Gpt2Model.Open(_folder.File("deeper/model.pt")).Dispose());
            Assert.Contains(part, fault.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_checkpoint_of_nanoGPT_tells_its_shape()
    {
        using Gpt2Model model = Random();
        Directory.CreateDirectory(_folder.File("out"));
        TestFile.Overwrite(_folder.File("out/ckpt.pt"), TorchModels.File(model, "nanoGPT", weights => Checkpoint(weights, vocabulary: 300)));
        using (Gpt2Model read = Gpt2Model.Open(_folder.File("out/ckpt.pt")))
        {
            Assert.Equal(Shape with { Activation = Gpt2Activation.Gelu }, read.HyperParameters);
            Assert.All(model.Parameters.Zip(read.Parameters), pair => Assert.Equal(pair.First.ToArray(), pair.Second.ToArray()));
        }

        foreach ((string arguments, string part) in new[]
        {
            (Text("n_layer") + Int(12), "no whole number 'vocab_size'"), (Text("n_kv_head") + Int(1), "'n_kv_head' among its model_args"),
            (Arguments(300).Replace(Int(24), Int(25), StringComparison.Ordinal), "n_embd = 25 and n_head = 3"),
        })
        {
            TestFile.Overwrite(_folder.File("out/ckpt.pt"), TorchModels.File(model, "nanoGPT", weights => Checkpoint(weights, arguments)));
            Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Gpt2Model.Open(_folder.File("out/ckpt.pt")).Dispose());
            Assert.Contains(part, fault.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_nanoGPT_without_biases_is_read_and_one_from_before_that_choice_has_GPT_2_s_activation()
    {
        using Gpt2Model model = Random(Shape with { Bias = false });
        string arguments = Arguments(300).Replace(Text("bias") + "\x88", Text("bias") + "\x89", StringComparison.Ordinal);
        TestFile.Overwrite(_folder.File("random/ckpt.pt"), TorchModels.File(model, "nanoGPT", weights => Checkpoint(weights, arguments)));
        using (Gpt2Model read = Gpt2Model.Open(_folder.File("random/ckpt.pt")))
        {
            Assert.Equal(Shape with { Bias = false, Activation = Gpt2Activation.Gelu }, read.HyperParameters);
            Assert.All(model.Parameters.Zip(read.Parameters), pair => Assert.Equal(pair.First.ToArray(), pair.Second.ToArray()));
        }

        arguments = Arguments(300).Replace(Text("bias") + "\x88", "", StringComparison.Ordinal);
        using Gpt2Model biased = Random();
        TestFile.Overwrite(_folder.File("random/ckpt.pt"), TorchModels.File(biased, "nanoGPT", weights => Checkpoint(weights, arguments)));
        using (Gpt2Model read = Gpt2Model.Open(_folder.File("random/ckpt.pt"))) Assert.Equal(Shape, read.HyperParameters);
    }

    [Fact]
    public void A_book_s_model_without_biases_of_queries_keys_and_values_has_zeros_there()
    {
        using Gpt2Model model = Random();
        TestFile.Overwrite(_folder.File("random/model.pth"), TorchModels.File(model, "rasbt", IsQueryBias));
        using (Gpt2Model read = Gpt2Model.Open(_folder.File("random/model.pth")))
        {
            Assert.Equal(new float[72], read.Parameters.Blocks[3].Attn.CAttn.B!.ToArray());
            Assert.Equal(model.Parameters.Blocks[3].Attn.CProj.B!.ToArray(), read.Parameters.Blocks[3].Attn.CProj.B!.ToArray());
        }

        static bool IsQueryBias(string name) => name.Contains(".W_", StringComparison.Ordinal) && name.EndsWith(".bias", StringComparison.Ordinal);
        TestFile.Overwrite(_folder.File("random/model.pth"), TorchModels.File(model, "rasbt", omits: name => name == "trf_blocks.0.att.W_key.bias"));
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Gpt2Model.Open(_folder.File("random/model.pth")).Dispose());
        Assert.Contains("missing: trf_blocks.0.att.W_key.bias.", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_old_minGPT_has_the_exact_GELU()
    {
        using Gpt2Model model = Random();
        TestFile.Overwrite(_folder.File("random/model.pt"), TorchModels.File(model, "minGPT of 2020", null, ("head.weight", "wte")));
        File.Delete(_folder.File("random/hparams.json"));
        using Gpt2Model read = Gpt2Model.Open(_folder.File("random/model.pt"), headCount: 3);
        Assert.Equal(Shape with { Activation = Gpt2Activation.Gelu }, read.HyperParameters);
    }

    private static string Checkpoint(string weights, int vocabulary) => Checkpoint(weights, Arguments(vocabulary));

    private static string Checkpoint(string weights, string arguments) =>
        "}(" + Text("model") + weights + Text("model_args") + "}(" + arguments + "u" + Text("iter_num") + Int(2000) + "u";

    private static string Arguments(int vocabulary) =>
        Text("n_layer") + Int(12) + Text("n_head") + Int(3) + Text("n_embd") + Int(24) + Text("block_size") + Int(16) + Text("bias") + "\x88"
            + Text("vocab_size") + Int(vocabulary) + Text("dropout") + "G\0\0\0\0\0\0\0\0";

    private Gpt2Model Random(Gpt2HyperParameters? shape = null)
    {
        RandomModel.Write(_folder.File("random"), shape ?? Shape, seed: 9);
        return Gpt2Model.Open(_folder.File("random"));
    }
}

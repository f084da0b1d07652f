using System.Runtime.InteropServices;
using PicoGpt.Checkpoints;
using PicoGpt.Checkpoints.PyTorch;
using Xunit;
using static PicoGpt.Fuzz.TorchBytes;

namespace PicoGpt.Tests.Checkpoints.PyTorch;

/// <summary>What <c>torch.save</c> leaves apart from a plain state dictionary of today.</summary>
public sealed class TorchCheckpointTests : IDisposable
{
    private static readonly byte[] Six = MemoryMarshal.AsBytes<float>([0, 1, 2, 3, 4, 5]).ToArray();

    private readonly TemporaryFolder _folder = new();
    private int _opened;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_file_of_the_time_before_1_6_is_read()
    {
        byte[] pickle = StateDictionary(
            ("whole", OldTensor("FloatStorage", "140", 6, [2, 3])),
            ("half", OldTensor("HalfStorage", "77", 2, [2])),
            ("tied", Parameter(OldTensor("FloatStorage", "140", 6, [6]))),
            ("view", OldTensor("FloatStorage", "140", 6, [2], offset: 1, view: (2, 4))),
            ("transposed", OldTensor("FloatStorage", "140", 6, [3, 2], strides: [1, 3])));
        using TorchSource source = Open(OldFile(pickle, ("140", 6, Six), ("77", 2, [0, 0x38, 0, 0xC0])));
        Assert.Equal([0f, 1f, 2f, 3f, 4f, 5f], source.Tensor("whole").GetFloats().ToArray());
        Assert.Equal([0.5f, -2f], source.Tensor("half").GetFloats().ToArray());
        Assert.Equal([0f, 1f, 2f, 3f, 4f, 5f], source.Tensor("tied").GetFloats().ToArray());
        Assert.Equal([3f, 4f], source.Tensor("view").GetFloats().ToArray());
        Assert.Equal([0f, 3f, 1f, 4f, 2f, 5f], source.Tensor("transposed").GetFloats().ToArray());
    }

    [Fact]
    public void An_old_file_that_is_cut_short_or_makes_no_sense_is_refused()
    {
        byte[] pickle = StateDictionary(("x", OldTensor("FloatStorage", "0", 6, [6])));
        byte[] whole = OldFile(pickle, ("0", 6, Six));
        for (int length = 0; length < whole.Length; length++)
            Assert.Equal(Gpt2Error.NotAFormat, Assert.Throws<Gpt2Exception>(() => Open(whole[..length])).Error);
        AssertRefused(OldFile(pickle, ("0", 7, Six)), Gpt2Error.NotAFormat, "its storage '0' should have 7 elements, but the file ends before");
        AssertRefused(OldFile(pickle, ("0", -1, Six)), Gpt2Error.NotAFormat, "should have -1 elements");
        AssertRefused(OldFile(pickle, ("0", 5, Six)), Gpt2Error.NotAFormat, "should be 6 elements of float32, but has 20 bytes");
        AssertRefused(OldFile(pickle, ("1", 6, Six)), Gpt2Error.NotAFormat, "a storage that belongs to nothing");
        AssertRefused(OldFile(pickle, ("0", 0, []), ("0", 6, Six)), Gpt2Error.NotAFormat, "the storage '0' twice");
        AssertRefused(OldFile(pickle), Gpt2Error.NotAFormat, "the data of tensor 'x' is missing");
        AssertRefused([.. OldHead[..^2], .. "\x89u."u8], null, "");
        AssertRefused([.. OldHead[..15], .. Pickle("M\xea\x03"), .. Pickle("}")], Gpt2Error.Unsupported, "protocol version 1002");
        AssertRefused([.. OldHead[..21], .. Pickle("}", Text("little_endian"), "\x89s")], Gpt2Error.Unsupported, "big-endian");
    }

    [Theory]
    [InlineData("model")]
    [InlineData("state_dict")]
    [InlineData("model_state_dict")]
    [InlineData("module")]
    [InlineData("generator")]
    public void Weights_under_a_key_are_found_and_what_lies_beside_them_is_never_made(string key)
    {
        string tensor = Tensor("FloatStorage", "0", 6, [6]);
        byte[] pickle = Pickle(
            "}(",
            Text("optimizer"), "}(", Text("state"), "}", Int(0), "}", Text("exp_avg"), tensor, "ss", Text("param_groups"), "]u",
            Text("args"), Global("argparse", "Namespace"), ")\x81}", Text("lr"), "G\x3f\x50\x62\x4d\xd2\xf1\xa9\xfc" + "sb",
            Text("config"), Global("copy_reg", "_reconstructor"), "(", Global("omegaconf.dictconfig", "DictConfig"), Global("__builtin__", "object"), "NtR}b",
            Text("best"), Global("numpy.core.multiarray", "scalar"), "(", Global("numpy", "dtype"), "(", Text("f8"), "\x89\x88tR(K\u0003U\u0001<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb",
            Global("_codecs", "encode"), "(", Text("\u0000é"), Text("latin1"), "tRtR",
            Text("seen"), Global("collections", "defaultdict"), "(", Global("builtins", "int"), "tR(", Text("a"), Int(1), "u",
            Text("loss"), Tensor("FloatStorage", "0", 6, [], offset: 2),
            Text("large"), "\x8a\x09\x01\x02\x03\x04\x05\x06\x07\x08\x09", Text("bytes"), "C\u0003abc", Text("set"), "\x8f(K\u0001K\u0002\x90",
            Text(key), EmptyDictionary, "(", Text("w"), tensor, Text("b"), Tensor("FloatStorage", "0", 6, [2]), "u",
            Text("epoch"), Int(3), "u");
        foreach (byte[] file in (byte[][])[Archive(pickle, ("0", Six)), OldFile(Old(pickle), ("0", 6, Six))])
        {
            // A tensor lies beside the weights, so that no dictionary but theirs can be meant when its name says nothing.
            if (key == "generator")
            {
                AssertRefused(file, Gpt2Error.Unsupported, "its item 'optimizer' is a dictionary, not a tensor");
                continue;
            }

            using TorchSource source = Open(file);
            Assert.Equal(["w", "b"], source.Tensors.Select(t => t.Name));
            Assert.Equal([0f, 1f], source.Tensor("b").GetFloats().ToArray());
            Assert.Empty(source.Arguments);
        }

        static byte[] Old(byte[] pickle) => System.Text.Encoding.Latin1.GetBytes(
            System.Text.Encoding.Latin1.GetString(pickle).Replace("K\u0006tQ", "K\u0006NtQ", StringComparison.Ordinal));
    }

    [Fact]
    public void The_only_dictionary_of_tensors_is_meant_whatever_its_name_and_of_several_none()
    {
        string tensors = "}" + Text("w") + Tensor("FloatStorage", "0", 6, [6]) + "s";
        using (TorchSource source = Open(Archive(Pickle("}(", Text("epoch"), Int(3), Text("net"), tensors, "u"), ("0", Six))))
            Assert.Equal("w", Assert.Single(source.Tensors).Name);
        AssertRefused(
            Archive(Pickle("}(", Text("gen"), tensors, Text("disc"), tensors, "u"), ("0", Six)), Gpt2Error.Unsupported, "several dictionaries of tensors, 'gen', 'disc'");
    }

    [Fact]
    public void What_a_model_was_made_with_is_kept()
    {
        byte[] pickle = Pickle(
            "}(", Text("model"), "}", Text("w"), Tensor("FloatStorage", "0", 6, [6]), "s",
            Text("model_args"), "}(", Text("n_layer"), Int(12), Text("bias"), "\x89", Text("vocab_size"), Int(50304), Text("dropout"), "G\0\0\0\0\0\0\0\0", "uu");
        using TorchSource source = Open(Archive(pickle, ("0", Six)));
        Assert.Equal((12L, false, 50304L, 0.0), (source.Arguments["n_layer"], source.Arguments["bias"], source.Arguments["vocab_size"], source.Arguments["dropout"]));
    }

    [Fact]
    public void Views_that_are_not_contiguous_are_gathered()
    {
        using TorchSource source = Open(Archive(
            StateDictionary(
                ("transposed", Tensor("FloatStorage", "0", 6, [3, 2], strides: [1, 3])),
                ("column", Tensor("FloatStorage", "0", 6, [2], offset: 1, strides: [3])),
                ("repeated", Tensor("FloatStorage", "0", 6, [3, 2], offset: 4, strides: [0, 1])),
                ("one", Tensor("FloatStorage", "0", 6, [4], offset: 5, strides: [0])),
                ("halves", Tensor("HalfStorage", "1", 4, [2, 2], strides: [1, 2])),
                ("none", Tensor("FloatStorage", "0", 6, [0, 3], strides: [9, 9]))),
            ("0", Six), ("1", MemoryMarshal.AsBytes<Half>([(Half)1, (Half)2, (Half)3, (Half)4]).ToArray())));
        foreach (StoredTensor tensor in source.Tensors) tensor.Verify();
        Assert.Equal([0f, 3f, 1f, 4f, 2f, 5f], source.Tensor("transposed").GetFloats().ToArray());
        Assert.Equal([1f, 4f], source.Tensor("column").GetFloats().ToArray());
        Assert.Equal([4f, 5f, 4f, 5f, 4f, 5f], source.Tensor("repeated").GetFloats().ToArray());
        Assert.Equal([5f, 5f, 5f, 5f], source.Tensor("one").GetFloats().ToArray());
        Assert.Equal([1f, 3f, 2f, 4f], source.Tensor("halves").GetFloats().ToArray());
        Assert.Equal([(Half)1, (Half)3, (Half)2, (Half)4], MemoryMarshal.Cast<byte, Half>(source.Tensor("halves").GetBytes().Span).ToArray());
        Assert.Equal(0, source.Tensor("none").GetFloats().Length);
    }

    [Fact]
    public void An_archive_without_checksums_is_read_and_one_with_some_is_verified()
    {
        byte[] archive = Archive(StateDictionary(("x", Tensor("FloatStorage", "0", 6, [6]))), ("0", Six));
        byte[] without = WithoutChecksums(archive);
        Assert.NotEqual(archive, without);
        using (TorchSource source = Open(without))
        {
            source.Tensors[0].Verify();
            Assert.Equal([0f, 1f, 2f, 3f, 4f, 5f], source.Tensors[0].GetFloats().ToArray());
        }

        archive[archive.AsSpan().IndexOf(Six) + 5] ^= 1;
        using TorchSource damaged = Open(archive);
        Assert.Equal(Gpt2Error.ChecksumMismatch, Assert.Throws<Gpt2Exception>(() => damaged.Tensors[0].Verify()).Error);
    }

    [Theory]
    [InlineData("_rebuild_tensor", "torch._utils")]
    [InlineData("_rebuild_tensor_v2", "torch._utils")]
    public void Tensors_of_every_age_are_described_alike(string function, string module)
    {
        string tensor = Tensor("FloatStorage", "0", 6, [6]).Replace("torch._utils\n_rebuild_tensor_v2", $"{module}\n{function}", StringComparison.Ordinal);
        string arguments = tensor[(Global(module, function).Length + 1)..^2];
        string ofSubclass = Global("torch._tensor", "_rebuild_from_type_v2") + "(" + Global(module, function) + Global("torch", "Tensor") + "(" + arguments + "t}tR";
        string withState = Global("torch._utils", "_rebuild_parameter_with_state") + "(" + tensor + "\x88" + EmptyDictionary + "}tR";
        using TorchSource source = Open(Archive(StateDictionary(("a", tensor), ("b", ofSubclass), ("c", withState)), ("0", Six)));
        Assert.All(source.Tensors, t => Assert.Equal([0f, 1f, 2f, 3f, 4f, 5f], t.GetFloats().ToArray()));
    }

    [Fact]
    public void A_program_of_TorchScript_and_a_whole_module_are_called_what_they_are()
    {
        byte[] program = Zip([("m/data.pkl", Pickle("N")), ("m/constants.pkl", Pickle(")"))]);
        AssertRefused(program, Gpt2Error.Unsupported, "it is a program of TorchScript");
        byte[] module = Pickle(Global("transformers.models.gpt2.modeling_gpt2", "GPT2LMHeadModel"), ")\x81}", Text("training"), "\x89sb");
        AssertRefused(Archive(module), Gpt2Error.Unsupported, "it holds a whole 'transformers.models.gpt2.modeling_gpt2.GPT2LMHeadModel' in place of a dictionary of tensors");
    }

    private TorchSource Open(byte[] file)
    {
        string path = _folder.File($"{_opened++}.pt"); // a name of its own: of the file before, tensors may still be mapped
        File.WriteAllBytes(path, file);
        return TorchSource.Open(path);
    }

    private void AssertRefused(byte[] file, Gpt2Error? error, string part)
    {
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Open(file));
        Assert.Contains(part, fault.Message, StringComparison.Ordinal);
        if (error is not null) Assert.Equal(error, fault.Error);
    }
}

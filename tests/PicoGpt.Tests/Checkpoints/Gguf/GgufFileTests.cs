using System.Runtime.InteropServices;
using PicoGpt.Checkpoints;
using PicoGpt.Checkpoints.Gguf;
using Xunit;
using static PicoGpt.Fuzz.GgufBytes;

namespace PicoGpt.Tests.Checkpoints.Gguf;

public sealed class GgufFileTests : IDisposable
{
    private static readonly byte[] Six = MemoryMarshal.AsBytes<float>([0, 1, 2, 3, 4, 5]).ToArray();

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(2, 32)]
    [InlineData(3, 32)]
    [InlineData(3, 8)]
    [InlineData(3, 4096)]
    public void Metadata_and_tensors_are_read(uint version, int alignment)
    {
        using GgufSource source = Open(File(
            [
                ("text", Text("Ünïcödé")), ("number", UInt32(7)), ("large", UInt64(1UL << 40)), ("real", Float32(0.25f)), ("flag", Bool(true)),
                ("texts", Texts("a", "", "ĠĠ")), ("numbers", Ints(3, -1)), ("bytes", Array(0, 2, [200, 1])), ("general.alignment", UInt32((uint)alignment)),
            ],
            [
                ("f32", 0, [3, 2], Six), ("f16", 1, [1], BitConverter.GetBytes((Half)0.5)), ("bf16", 30, [2, 1, 1], [0x80, 0x3F, 0x00, 0xC0]),
                ("f64", 28, [1], BitConverter.GetBytes(2.5)), ("i32", 26, [], BitConverter.GetBytes(-3)), ("none", 0, [0], []),
                ("q8_0", 8, [32, 1], [0x00, 0x3C, .. Enumerable.Range(0, 32).Select(i => (byte)i)]),
            ],
            version,
            alignment));
        Assert.Equal("Ünïcödé", source.Metadata.Text("text"));
        Assert.Equal((7, 1L << 40, 0.25), (source.Metadata.Number("number"), source.Metadata.Number("large"), source.Metadata.Real("real")));
        Assert.True(source.Metadata.Flag("flag"));
        Assert.Equal(["a", "", "ĠĠ"], source.Metadata.Texts("texts")!);
        Assert.Equal([3, -1], source.Metadata.Numbers("numbers", 2)!);
        Assert.Equal([200, 1], source.Metadata.Numbers("bytes", 2)!);
        Assert.Null(source.Metadata.Text("other"));

        Assert.Equal(["[2, 3]", "[1]", "[1, 1, 2]", "[1]", "[]", "[0]", "[1, 32]"], source.Tensors.Select(tensor => tensor.Shape.ToString()));
        Assert.Equal([0f, 1f, 2f, 3f, 4f, 5f], source.Tensor("f32").GetFloats().ToArray());
        Assert.False(MemoryMarshal.TryGetArray(source.Tensor("f32").GetFloats(), out _)); // mapped, not copied
        Assert.Equal([0.5f], source.Tensor("f16").GetFloats().ToArray());
        Assert.Equal([1f, -2f], source.Tensor("bf16").GetFloats().ToArray());
        Assert.Equal([2.5f], source.Tensor("f64").GetFloats().ToArray());
        Assert.Equal(TensorDType.Int32, source.Tensor("i32").DType);
        StoredTensor blocks = source.Tensor("q8_0");
        Assert.Equal(("Q8_0", TensorDType.Float32, 34L), (blocks.Quantization, blocks.DType, blocks.Size));
        Assert.Equal(Enumerable.Range(0, 32).Select(i => (float)i), blocks.GetFloats().ToArray());
        Assert.Equal(128, blocks.GetBytes().Length);
    }

    [Theory]
    [InlineData(1, "version 1")]
    [InlineData(4, "version 4")]
    [InlineData(0x03000000, "big-endian")]
    public void Other_versions_are_called_by_their_names(uint version, string part) => AssertRefused(File([], [], version), Gpt2Error.Unsupported, part);

    [Fact]
    public void What_is_not_read_is_called_by_its_name()
    {
        AssertRefused(File([], [("x", 21, [256], new byte[110])]), Gpt2Error.Unsupported, "its tensor 'x' is of the type IQ3_S");
        AssertRefused(File([], [("x", 39, [32], new byte[17])]), Gpt2Error.Unsupported, "MXFP4");
        AssertRefused(File([], [("x", 31, [32], new byte[18])]), Gpt2Error.Unsupported, "of the type Q4_0_4_4; give a file of the model in F16, Q8_0 or a type such as Q4_K");
        AssertRefused(File([], [("x", 77, [32], new byte[17])]), Gpt2Error.Unsupported, "of the type 77");
        AssertRefused(File([("x", Array(9, 1, Texts("a")))], []), Gpt2Error.Unsupported, "its key 'x' holds lists in lists");
        AssertRefused(File([("split.count", UInt32(3))], []), Gpt2Error.Unsupported, "it is one of 3 files");
    }

    [Fact]
    public void What_makes_no_sense_is_refused()
    {
        AssertRefused([.. "GGML"u8, .. new byte[20]], Gpt2Error.NotAFormat, "does not begin with GGUF");
        AssertRefused([], Gpt2Error.NotAFormat, "does not begin with GGUF");
        AssertRefused(File([("x", Number(13u))], []), Gpt2Error.NotAFormat, "the type 13");
        AssertRefused(File([("x", Bool(true)), ("x", Bool(true))], []), Gpt2Error.NotAFormat, "the key 'x' twice");
        AssertRefused(File([], [("x", 0, [1], new byte[4]), ("x", 0, [1], new byte[4])]), Gpt2Error.Corrupt, "the tensor 'x' twice");
        AssertRefused(File([("general.alignment", UInt32(0))], []), Gpt2Error.NotAFormat, "alignment is 0");
        AssertRefused(File([("general.alignment", UInt32(12))], []), Gpt2Error.NotAFormat, "alignment is 12");
        AssertRefused(File([("general.alignment", Text("32"))], []), Gpt2Error.Corrupt, "no whole number");
        AssertRefused(File([], [("x", 0, [1, 1, 1, 1, 1], new byte[4])]), Gpt2Error.NotAFormat, "5 dimensions");
        AssertRefused(File([], [("x", 0, [-1], new byte[4])]), Gpt2Error.NotAFormat, "more elements than can be counted");
        AssertRefused(File([], [("x", 0, [1L << 40, 1L << 40], new byte[4])]), Gpt2Error.NotAFormat, "more elements than can be counted");
        AssertRefused(File([], [("x", 0, [1L << 40], new byte[4])]), Gpt2Error.Truncated, "its tensor 'x' ends at byte 4398046511104 of the data, of which 32 are there");
        AssertRefused(File([], [("x", 8, [33], new byte[68])]), Gpt2Error.NotAFormat, "not a multiple of 32, the block of Q8_0");
        AssertRefused(File([], [("x", 8, [], new byte[68])]), Gpt2Error.NotAFormat, "not a multiple of 32");
        AssertRefused(File([("general.alignment", UInt32(64))], [("y", 0, [8], new byte[32]), ("x", 0, [8], new byte[32])]), Gpt2Error.NotAFormat, "'x' begins at 32");
        AssertRefused(File([(new string('n', 70_000), Bool(true))], []), Gpt2Error.NotAFormat, "a name of 70000 bytes");
        AssertRefused(File([("\xff", [.. Number(8u), .. Number(1ul), 0xFF])], []), null, "");
    }

    [Fact]
    public void Tensors_that_share_bytes_are_refused()
    {
        byte[] file = File([], [("x", 0, [6], Six), ("empty", 0, [0], []), ("y", 0, [6], Six)]);
        using (GgufSource source = Open(file)) Assert.Equal(3, source.Tensors.Count);
        int offset = file.AsSpan().IndexOf([.. String("y"), .. Number(1u), .. Number(6ul), .. Number(0u)]) + 25;
        Assert.Equal(32, file[offset]);
        file[offset] = 0;
        AssertRefused(file, Gpt2Error.NotAFormat, "its tensors 'x' and 'y' share bytes of the data from 0 on");
    }

    [Fact]
    public void A_file_that_is_cut_short_anywhere_is_refused()
    {
        byte[] whole = File([("a", Text("b")), ("c", Texts("d", "e"))], [("x", 0, [6], Six), ("y", 8, [32], new byte[34])]);
        int end = whole.Length - 30; // what pads the last tensor may be missing
        for (int length = 0; length < end; length++)
        {
            System.IO.File.WriteAllBytes(_folder.File("a.gguf"), whole[..length]);
            Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => GgufSource.Open(_folder.File("a.gguf")));
            Assert.True(fault.Error is Gpt2Error.Truncated or Gpt2Error.NotAFormat, $"{length}: {fault.Message}");
        }

        using GgufSource source = Open(whole[..end]);
        Assert.Equal(2, source.Tensors.Count);
    }

    [Fact]
    public void Counts_that_the_file_cannot_hold_ask_for_no_memory()
    {
        byte[][] bombs =
        [
            [.. "GGUF"u8, .. Number(3u), .. Number(ulong.MaxValue), .. Number(1ul)],
            [.. "GGUF"u8, .. Number(3u), .. Number(0ul), .. Number(1ul << 62)],
            [.. "GGUF"u8, .. Number(3u), .. Number(10_000ul), .. Number(0ul), .. new byte[20_000]], // of which each would take 24 bytes
            File([("x", Array(8, long.MaxValue, []))], []),
            File([("x", Array(0, 1L << 40, []))], []),
            File([("x", [.. Number(8u), .. Number(ulong.MaxValue)])], []),
            File([("x", [.. Number(8u), .. Number(1ul << 31)])], []),
        ];
        foreach (byte[] bomb in bombs)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            AssertRefused(bomb, Gpt2Error.Truncated, "no room");
            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20);
        }
    }

    private GgufSource Open(byte[] bytes)
    {
        System.IO.File.WriteAllBytes(_folder.File("a.gguf"), bytes);
        return GgufSource.Open(_folder.File("a.gguf"));
    }

    private void AssertRefused(byte[] bytes, Gpt2Error? error, string part)
    {
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() =>
        {
            using GgufSource source = Open(bytes);
            if (error is null) source.Metadata.Text("ÿ");
        });
        Assert.Contains(part, fault.Message, StringComparison.Ordinal);
        if (error is not null) Assert.Equal(error, fault.Error);
    }
}

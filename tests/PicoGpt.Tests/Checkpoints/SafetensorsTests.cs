using System.Runtime.InteropServices;
using PicoGpt.Checkpoints;
using PicoGpt.Checkpoints.Safetensors;
using Xunit;

namespace PicoGpt.Tests.Checkpoints;

public sealed class SafetensorsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Tensors_have_their_names_types_shapes_and_elements()
    {
        using MappedSource source = Open(SafetensorsBytes.Of(
            ("a", "F32", [2, 2], Bytes(1f, 2f, 3f, 4f)), ("b", "I64", [], Bytes(-5L)), ("c", "BF16", [0, 3], []), ("d", "F16", [1], Bytes((Half)0.5f))));
        Assert.Equal(["a", "b", "c", "d"], source.Tensors.Select(t => t.Name));
        Assert.Equal([TensorDType.Float32, TensorDType.Int64, TensorDType.BFloat16, TensorDType.Float16], source.Tensors.Select(t => t.DType));
        Assert.Equal(["[2, 2]", "[]", "[0, 3]", "[1]"], source.Tensors.Select(t => t.Shape.ToString()));
        Assert.Equal([1f, 2f, 3f, 4f], source.Tensor("a").GetFloats().ToArray());
        Assert.Equal(Bytes(-5L), source.Tensor("b").GetBytes().ToArray());
        Assert.Empty(source.Tensor("c").GetFloats().ToArray());
        Assert.Equal([0.5f], source.Tensor("d").GetFloats().ToArray());
    }

    [Fact]
    public void Aligned_float32_is_the_mapped_file_itself()
    {
        using MappedSource source = Open(SafetensorsBytes.Of(("a", "F32", [2], Bytes(1f, 2f))));
        Assert.False(MemoryMarshal.TryGetArray(source.Tensor("a").GetFloats(), out _));
    }

    [Fact]
    public void Float32_at_an_odd_address_is_read_too()
    {
        using MappedSource source = Open(SafetensorsBytes.Of(("a", "U8", [1], [7]), ("b", "F32", [2], Bytes(1f, 2f))));
        Assert.Equal([1f, 2f], source.Tensor("b").GetFloats().ToArray());
    }

    [Fact]
    public void A_checkpoint_in_several_files_is_read_by_its_index()
    {
        File.WriteAllBytes(_folder.File("model-1.safetensors"), SafetensorsBytes.Of(("a", "F32", [1], Bytes(1f))));
        File.WriteAllBytes(_folder.File("model-2.safetensors"), SafetensorsBytes.Of(("b", "F32", [1], Bytes(2f))));
        using MappedSource source = OpenIndex("""{"metadata": {}, "weight_map": {"b": "model-2.safetensors", "a": "model-1.safetensors"}}""");
        Assert.Equal([1f], source.Tensor("a").GetFloats().ToArray());
        Assert.Equal([2f], source.Tensor("b").GetFloats().ToArray());
    }

    [Theory]
    [InlineData("""{"weight_map": {"a": "../other.safetensors"}}""", Gpt2Error.NotAFormat, "a file in its folder")]
    [InlineData("""{"weight_map": {"a": "/etc/passwd"}}""", Gpt2Error.NotAFormat, "a file in its folder")]
    [InlineData("""{"weight_map": {"a": ".."}}""", Gpt2Error.NotAFormat, "a file in its folder")]
    [InlineData("""{"weight_map": {"a": 3}}""", Gpt2Error.NotAFormat, "a file in its folder")]
    [InlineData("""{"weight_map": {"a": "\ud800"}}""", Gpt2Error.NotAFormat, "not text")]
    [InlineData("""{"weight_map": []}""", Gpt2Error.NotAFormat, "weight_map")]
    [InlineData("""[]""", Gpt2Error.NotAFormat, "weight_map")]
    [InlineData("""{""", Gpt2Error.NotAFormat, "JSON")]
    [InlineData("""{"weight_map": {"a": "gone.safetensors"}}""", Gpt2Error.FileNotFound, "gone.safetensors")]
    [InlineData("""{"weight_map": {"b": "model-1.safetensors"}}""", Gpt2Error.Corrupt, "'b'")]
    public void A_bad_index_is_refused(string index, Gpt2Error error, string part)
    {
        File.WriteAllBytes(_folder.File("model-1.safetensors"), SafetensorsBytes.Of(("a", "F32", [1], Bytes(1f))));
        AssertRefused(() => OpenIndex(index), error, part);
    }

    [Fact]
    public void A_tensor_in_two_files_is_refused()
    {
        File.WriteAllBytes(_folder.File("1.safetensors"), SafetensorsBytes.Of(("a", "F32", [1], Bytes(1f))));
        File.WriteAllBytes(_folder.File("2.safetensors"), SafetensorsBytes.Of(("a", "F32", [1], Bytes(1f)), ("b", "F32", [1], Bytes(1f))));
        AssertRefused(
            () => OpenIndex("""{"weight_map": {"a": "1.safetensors", "b": "2.safetensors"}}"""), Gpt2Error.Corrupt, "'a' twice");
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", "4 bytes for 2 elements")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "begins at 4")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "end at byte 4 of 8")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "begins at 4")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", "pair of offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}}""", "pair of offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", "'-2'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,8]}}""", "'1.5'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}}""", "counted")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]}}""", "4 bytes for")]
    [InlineData("""{"a":{"dtype":7,"shape":[8],"data_offsets":[0,8]}}""", "JSON")]
    [InlineData("""{"a":{"shape":[8],"data_offsets":[0,8]}}""", "no dtype")]
    [InlineData("""{"a":{"dtype":"F32","data_offsets":[0,8]}}""", "no shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":8,"data_offsets":[0,8]}}""", "list of numbers")]
    [InlineData("""{"a":[]}""", "no dtype")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "has the name 'a' twice")]
    [InlineData("""{"\ud800":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "JSON")]
    [InlineData("""[1,2]""", "not a JSON object")]
    [InlineData("""{]""", "JSON")]
    [InlineData("""{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":1}}}}}}}}}""", "JSON")]
    public void A_header_that_contradicts_itself_or_the_file_is_refused(string header, string part) =>
        AssertRefused(() => Open(SafetensorsBytes.Of(header, new byte[8])), Gpt2Error.NotAFormat, part);

    [Fact]
    public void Every_file_cut_short_is_refused()
    {
        byte[] whole = SafetensorsBytes.Of(("a", "F32", [2], Bytes(1f, 2f)));
        for (int length = 0; length < whole.Length; length++)
            AssertRefused(() => Open(whole[..length]), Gpt2Error.Truncated, "copy or download it again");
    }

    [Theory]
    [InlineData(ulong.MaxValue)]
    [InlineData(100_000_001ul)]
    [InlineData(0ul)]
    public void A_header_of_an_impossible_length_is_refused(ulong length)
    {
        byte[] file = SafetensorsBytes.Of("{}", []);
        BitConverter.TryWriteBytes(file, length);
        AssertRefused(() => Open(file), Gpt2Error.NotAFormat, $"of {length} bytes");
    }

    [Fact]
    public void A_pointer_of_git_lfs_is_called_by_its_name() =>
        AssertRefused(() => Open("version https://git-lfs.github.com/spec/v1\noid sha256:00\n"u8.ToArray()), Gpt2Error.LfsPointer, "git lfs pull");

    [Fact]
    public void Random_damage_never_ends_in_anything_but_a_sentence()
    {
        byte[] whole = SafetensorsBytes.Of(("a", "F32", [2], Bytes(1f, 2f)), ("b", "F16", [1], Bytes((Half)1)));
        var random = new Random(5);
        for (int round = 0; round < 500; round++)
        {
            byte[] damaged = [.. whole];
            for (int i = 0; i < 3; i++) damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            try
            {
                using MappedSource source = Open(damaged);
                foreach (StoredTensor tensor in source.Tensors) tensor.GetBytes();
            }
            catch (Gpt2Exception)
            {
            }
        }
    }

    private static byte[] Bytes<T>(params T[] values)
        where T : unmanaged => MemoryMarshal.AsBytes(values.AsSpan()).ToArray();

    private static void AssertRefused(Func<object> open, Gpt2Error error, string part)
    {
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(open);
        Assert.Contains(part, fault.Message, StringComparison.Ordinal);
        Assert.Equal(error, fault.Error);
    }

    private MappedSource Open(byte[] bytes)
    {
        File.WriteAllBytes(_folder.File("a.safetensors"), bytes);
        return MappedSource.Open(_folder.File("a.safetensors"), SafetensorsFile.ListTensors);
    }

    private MappedSource OpenIndex(string index)
    {
        File.WriteAllText(_folder.File("model.safetensors.index.json"), index);
        return MappedSource.OpenSharded(_folder.File("model.safetensors.index.json"), SafetensorsFile.ListTensors);
    }
}

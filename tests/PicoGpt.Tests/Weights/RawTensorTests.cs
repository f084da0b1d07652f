using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using PicoGpt.Checkpoints;
using PicoGpt.Checkpoints.Numpy;
using PicoGpt.Checkpoints.TensorFlow;
using PicoGpt.Files;
using PicoGpt.Fuzz;
using PicoGpt.Tests.Checkpoints;
using PicoGpt.Weights;
using Xunit;

namespace PicoGpt.Tests.Weights;

public sealed class RawTensorTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Values_of_every_type_are_read_as_they_are_and_as_float32()
    {
        CheckType(TensorDType.Float32, [1.5f, -2f], [1.5f, -2f]);
        CheckType(TensorDType.Float64, [0.1, -2], [0.1f, -2f]);
        CheckType(TensorDType.Float16, [(Half)0.5f, Half.NaN], [0.5f, float.NaN]);
        CheckType(TensorDType.Int8, new sbyte[] { -128, 127 }, [-128f, 127f]);
        CheckType(TensorDType.Int16, new short[] { -32768, 1 }, [-32768f, 1f]);
        CheckType(TensorDType.Int32, [int.MinValue, 16777217], [-2147483648f, 16777216f]);
        CheckType(TensorDType.Int64, new long[] { long.MaxValue, -3 }, [9223372036854775807f, -3f]);
        CheckType(TensorDType.UInt8, new byte[] { 255, 0 }, [255f, 0f]);
        CheckType(TensorDType.UInt16, new ushort[] { 65535, 0 }, [65535f, 0f]);
        CheckType(TensorDType.UInt32, new uint[] { uint.MaxValue, 0 }, [4294967296f, 0f]);
        CheckType(TensorDType.UInt64, new ulong[] { ulong.MaxValue, 0 }, [18446744073709551616f, 0f]);
        CheckType(TensorDType.Bool, [true, false], [1f, 0f]);
    }

    [Fact]
    public void Bfloat16_is_widened()
    {
        RawTensor tensor = Write(writer => writer.Add("t", TensorDType.BFloat16, new TensorShape(2), [0xc0, 0x3f, 0x00, 0xc0]));
        Assert.Equal([1.5f, -2f], Assert.IsType<float[]>(tensor.GetValues()));
        Assert.Equal(-0.25, tensor.Mean);
    }

    [Fact]
    public void Text_is_read_and_has_no_statistics()
    {
        RawTensor tensor = Write(writer => writer.AddStrings("t", new TensorShape(2), [Encoding.UTF8.GetBytes("wörld"), [0xff]]));
        Assert.Equal(["wörld", "\ufffd"], Assert.IsType<string[]>(tensor.GetValues()));
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => tensor.Min);
        Assert.Equal(Gpt2Error.Unsupported, fault.Error);
        Assert.Contains("is string and has text", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tensor_tells_where_it_is()
    {
        RawTensor tensor = Write(writer =>
        {
            writer.AddFloats("a", new TensorShape(3), [1, 2, 3], shard: 0);
            writer.AddFloats("s", new TensorShape(1), [9], shard: 1);
            writer.AddFloats("t", new TensorShape(1, 2), [1, 2], shard: 1);
        }, shards: 2);
        Assert.Equal((1, 4L, 8L), (tensor.Shard, tensor.Offset, tensor.Size));
        Assert.Equal("model.ckpt.data-00001-of-00002", Path.GetFileName(tensor.File));
        Assert.Equal(Crc32C.Append(0, MemoryMarshal.AsBytes<float>([1, 2])), tensor.Crc32C);
        Assert.Equal(_folder.File("model.ckpt"), tensor.Checkpoint);
        Assert.Equal([1L, 2L], tensor.Shape);
        Assert.Equal(2, tensor[0, -1]);
        Assert.Equal([2f], tensor.Column(1).ToArray());
    }

    [Fact]
    public void A_partitioned_tensor_tells_its_parts()
    {
        RawTensor tensor = Write(writer =>
        {
            writer.AddSlice("t", TensorDType.Float32, new TensorShape(2, 2), new TensorSlice(new TensorExtent(0, 1), TensorExtent.Whole), Bytes([1f, 2]));
            writer.AddSlice("t", TensorDType.Float32, new TensorShape(2, 2), new TensorSlice(new TensorExtent(1, 1), TensorExtent.Whole), Bytes([3f, 4]));
        });
        Assert.Equal((null, null, null, null), (tensor.Shard, tensor.Offset, tensor.Crc32C, tensor.File));
        Assert.Equal(["0,1:-", "1,1:-"], tensor.Slices);
        Assert.Equal([1, 2, 3, 4], tensor.ToArray());
    }

    [Fact]
    public void A_damaged_tensor_has_no_values()
    {
        RawTensor tensor = Write(writer => writer.AddFloats("t", new TensorShape(2), [1, 2]));
        byte[] data = File.ReadAllBytes(tensor.File!);
        data[5] ^= 1;
        File.WriteAllBytes(tensor.File!, data);
        Assert.Equal(Gpt2Error.ChecksumMismatch, Assert.Throws<Gpt2Exception>(tensor.GetValues).Error);
        Assert.Equal(Gpt2Error.ChecksumMismatch, Assert.Throws<Gpt2Exception>(() => tensor.Histogram).Error);
    }

    [Fact]
    public void What_has_more_values_than_an_array_is_listed_only()
    {
        RawTensor tensor = Write(writer => writer.Add("t", TensorDType.UInt8, new TensorShape(0, 1L << 40), []));
        Assert.Equal([0L, 1L << 40], tensor.Shape);
        Assert.Equal(Gpt2Error.Unsupported, Assert.Throws<Gpt2Exception>(() => tensor.Row(0)).Error);
    }

    [Fact]
    public void Statistics_are_gathered_of_more_values_than_one_piece_of_memory_holds()
    {
        const long Count = (1L << 31) + 3;
        string path = _folder.File("a.safetensors");
        SafetensorsBytes.WriteZeros(path, value: 200, ("t", "U8", [Count], Count));
        using ITensorSource source = ModelFiles.OpenWeights(path);
        var tensor = new RawTensor(source, source.Tensors[0]);
        Assert.Equal((Count, Count - 1, 0f, 200f), (tensor.Statistics.Count, tensor.Zeros, tensor.Min, tensor.Max));
        Assert.Equal(200.0 / Count, tensor.Mean, 1e-15);
        Assert.Equal(Gpt2Error.Unsupported, Assert.Throws<Gpt2Exception>(tensor.ToArray).Error);
    }

    [Theory]
    [InlineData("safetensors")]
    [InlineData("gguf")]
    [InlineData("tensorflow")]
    public void Statistics_in_portions_are_those_of_the_whole(string format)
    {
        const int Count = (64 * 1024 * 1024) + (32 * 5);
        byte[] bytes = new byte[format == "gguf" ? Count / 32 * 34 : Count]; // in gguf a half-precision number and 32 bytes that it scales
        new Random(1).NextBytes(bytes.AsSpan(0, 1000));
        new Random(2).NextBytes(bytes.AsSpan(bytes.Length - 1000));
        using ITensorSource source = Source(format, bytes, Count);
        var tensor = new RawTensor(source, source.Tensors[0]);
        Assert.Equal(2, source.Tensors[0].Portions().Count);
        WeightStatistics whole = WeightStatistics.Of((tensor.Memory, tensor.Layout)), portions = tensor.Statistics;
        Assert.Equal((whole.Count, whole.Min, whole.Max, whole.Mean, whole.StandardDeviation), (portions.Count, portions.Min, portions.Max, portions.Mean, portions.StandardDeviation));
        Assert.Equal((whole.Zeros, whole.NaNs, whole.Infinities), (portions.Zeros, portions.NaNs, portions.Infinities));
        Assert.Equal(whole.Histogram, portions.Histogram);
    }

    [Fact]
    public void Tensors_of_every_format_are_listed_and_read()
    {
        (string Name, string Type, long[] Shape, byte[] Bytes)[] made = [("a", "I64", [2], Bytes<long>([5, -6])), ("b", "F16", [1, 2], Bytes<Half>([(Half)0.5f, (Half)2]))];
        File.WriteAllBytes(_folder.File("a.safetensors"), SafetensorsBytes.Of(made));
        string Tensor(string storage, string key, long[] shape) => TorchBytes.Tensor(storage, key, 2, shape);
        byte[] pickle = TorchBytes.StateDictionary(("a", Tensor("LongStorage", "0", [2])), ("b", Tensor("HalfStorage", "1", [1, 2])));
        File.WriteAllBytes(_folder.File("a.bin"), TorchBytes.Archive(pickle, ("0", made[0].Bytes), ("1", made[1].Bytes)));
        (string, byte[])[] arrays = [.. made.Select(tensor => (tensor.Name + ".npy", (byte[])[.. NpyHeader.Format(tensor.Type == "I64" ? TensorDType.Int64 : TensorDType.Float16, new TensorShape(tensor.Shape)), .. tensor.Bytes]))];
        File.WriteAllBytes(_folder.File("stored.npz"), TorchBytes.Zip(arrays));
        File.WriteAllBytes(_folder.File("deflated.npz"), TorchBytes.Zip(arrays, CompressionLevel.Fastest));
        foreach (string file in (string[])["a.safetensors", "a.bin", "stored.npz", "deflated.npz"])
        {
            using ITensorSource source = ModelFiles.OpenWeights(_folder.File(file));
            RawTensor[] tensors = [.. source.Tensors.OrderBy(tensor => tensor.Name, StringComparer.Ordinal).Select(tensor => new RawTensor(source, tensor))];
            Assert.Equal(["a", "b"], tensors.Select(tensor => tensor.Name));
            Assert.Equal([5L, -6L], Assert.IsType<long[]>(tensors[0].GetValues()));
            Assert.Equal([5f, -6f], tensors[0].ToArray());
            Assert.Equal(2f, tensors[1][0, 1]);
            Assert.Equal(made[1].Bytes, tensors[1].GetBytes());
            Assert.Equal((_folder.File(file), _folder.File(file), 0, 4L, null), (tensors[1].Checkpoint, tensors[1].File, tensors[1].Shard, tensors[1].Size, tensors[1].Crc32C));
            if (tensors[1].Offset is { } offset) Assert.Equal(made[1].Bytes, File.ReadAllBytes(_folder.File(file))[(int)offset..((int)offset + 4)]);
            Assert.Equal(file == "deflated.npz", tensors[1].Offset is null);
        }
    }

    [Theory]
    [InlineData("serving")]
    [InlineData("tensor2tensor")]
    [InlineData("yggdrasil")]
    public void Checkpoints_of_other_models_are_read_whole(string folder)
    {
        foreach (string index in Directory.EnumerateFiles(SharedData.Path("checkpoints/" + folder), "*.index", SearchOption.AllDirectories))
        {
            using TensorBundle bundle = TensorBundle.Open(index);
            foreach (RawTensor tensor in ((ITensorSource)bundle).Tensors.Select(tensor => new RawTensor(bundle, tensor)))
            {
                Assert.Equal(tensor.Count, tensor.GetValues().LongLength);
                if (tensor.DType != TensorDType.String) Assert.Equal(tensor.Count, tensor.Statistics.Count);
            }
        }
    }

    private ITensorSource Source(string format, byte[] bytes, int count)
    {
        string path = _folder.File("a." + format);
        if (format == "safetensors") File.WriteAllBytes(path, SafetensorsBytes.Of(("t", "U8", [count], bytes)));
        else if (format == "gguf") File.WriteAllBytes(path, GgufBytes.File([("general.architecture", GgufBytes.Text("gpt2"))], [("t", 8, [count], bytes)]));
        else return Checkpoint(writer => writer.Add("t", TensorDType.UInt8, new TensorShape(count), bytes));
        return ModelFiles.OpenWeights(path);
    }

    private static byte[] Bytes<T>(T[] values)
        where T : unmanaged => MemoryMarshal.AsBytes(values.AsSpan()).ToArray();

    private void CheckType<T>(TensorDType dtype, T[] values, float[] floats)
        where T : unmanaged
    {
        RawTensor tensor = Write(writer => writer.Add("t", dtype, new TensorShape(values.Length), MemoryMarshal.AsBytes(values.AsSpan())));
        Assert.Equal(values, Assert.IsType<T[]>(tensor.GetValues()));
        Assert.Equal(floats, tensor.ToArray());
    }

    // The last tensor of a new checkpoint.
    private RawTensor Write(Action<TensorBundleWriter> add, int shards = 1)
    {
        ITensorSource bundle = Checkpoint(add, shards);
        return new RawTensor(bundle, bundle.Tensors[^1]);
    }

    private TensorBundle Checkpoint(Action<TensorBundleWriter> add, int shards = 1)
    {
        foreach (string file in Directory.GetFiles(_folder.Path)) File.Delete(file);
        using (var writer = new TensorBundleWriter(_folder.File("model.ckpt"), new TensorBundleWriterOptions { ShardCount = shards }))
        {
            add(writer);
            writer.Finish();
        }

        return TensorBundle.Open(_folder.Path);
    }
}

using System.Runtime.InteropServices;
using System.Text;
using PicoGpt.Checkpoints;
using PicoGpt.Checkpoints.TensorFlow;
using Xunit;

namespace PicoGpt.Tests.Checkpoints;

public sealed class TensorBundleWriterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Prefix => _folder.File("model.ckpt");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Rewritten_checkpoint_of_tensorflow_is_the_same_byte_for_byte()
    {
        string source = SharedData.Path("checkpoints/gpt2-toy-keras-gpt-2");
        using (TensorBundle bundle = TensorBundle.Open(source))
        {
            using var writer = new TensorBundleWriter(Prefix);
            foreach (TensorEntry entry in bundle.Entries.OrderByDescending(e => e.Name.Length).OrderBy(e => e.Offset))
                writer.Add(entry.Name, entry.DType, entry.Shape, bundle.GetBytes(entry).Span);
            writer.Finish();
        }

        string[] names = ["checkpoint", "model.ckpt.data-00000-of-00001", "model.ckpt.index"];
        Assert.Equal(names, Directory.GetFiles(_folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        foreach (string name in names)
            Assert.Equal(File.ReadAllBytes(Path.Combine(source, name)), File.ReadAllBytes(_folder.File(name)));
    }

    [Theory]
    [InlineData(1, 256 * 1024, 16, false)]
    [InlineData(3, 256 * 1024, 16, true)]
    [InlineData(2, 200, 16, false)]
    [InlineData(1, 1, 1, false)]
    [InlineData(1, 300, 4, true)]
    public void Every_layout_round_trips(int shards, int blockSize, int restartInterval, bool compress)
    {
        var options = new TensorBundleWriterOptions
        {
            ShardCount = shards,
            BlockSize = blockSize,
            RestartInterval = restartInterval,
            CompressIndex = compress,
        };
        const int Count = 100;
        using (var writer = new TensorBundleWriter(Prefix, options))
        {
            for (int i = Count - 1; i >= 0; i--)
                writer.AddFloats($"model/h{i}/w", new TensorShape(i, 2), Values(i), shard: i % shards);
            writer.Finish();
        }

        using TensorBundle bundle = TensorBundle.Open(Prefix);
        bundle.EnsureComplete();
        bundle.VerifyAll();
        Assert.Equal(shards, bundle.ShardCount);
        Assert.Equal(bundle.Entries.Select(e => e.Name).Order(StringComparer.Ordinal), bundle.Entries.Select(e => e.Name));
        for (int i = 0; i < Count; i++)
        {
            TensorEntry entry = bundle.GetEntry($"model/h{i}/w");
            Assert.Equal(new TensorShape(i, 2), entry.Shape);
            Assert.Equal(Values(i), bundle.GetFloats(entry).ToArray());
        }

        static float[] Values(int i) => [.. Enumerable.Range(0, 2 * i).Select(j => (i * 1000f) + j)];
    }

    [Fact]
    public void All_element_types_round_trip()
    {
        using (var writer = new TensorBundleWriter(Prefix))
        {
            AddArray<float>(writer, TensorDType.Float32, [1.5f, -0f, float.NaN]);
            AddArray<double>(writer, TensorDType.Float64, [1.5, -2.25, 1e300]);
            AddArray<Half>(writer, TensorDType.Float16, [(Half)0.5, Half.MaxValue]);
            AddArray<sbyte>(writer, TensorDType.Int8, [-128, 127, 1]);
            AddArray<short>(writer, TensorDType.Int16, [short.MinValue, 7]);
            AddArray<int>(writer, TensorDType.Int32, [int.MinValue, 7]);
            AddArray<long>(writer, TensorDType.Int64, [long.MinValue, 7]);
            AddArray<byte>(writer, TensorDType.UInt8, [0, 255, 3]);
            AddArray<ushort>(writer, TensorDType.UInt16, [ushort.MaxValue]);
            AddArray<uint>(writer, TensorDType.UInt32, [uint.MaxValue]);
            AddArray<ulong>(writer, TensorDType.UInt64, [ulong.MaxValue]);
            AddArray<bool>(writer, TensorDType.Bool, [true, false, true]);
            writer.Add("bfloat16", TensorDType.BFloat16, new TensorShape(2), [0xc0, 0x3f, 0x00, 0xc0]);
            writer.AddStrings("string", new TensorShape(1, 3), ["one"u8.ToArray(), [], new byte[300]]);
            writer.Finish();
        }

        using TensorBundle bundle = TensorBundle.Open(Prefix);
        bundle.VerifyAll();
        Assert.Equal([1.5f, -0f, float.NaN], bundle.ReadArray<float>(bundle.GetEntry("float32")));
        Assert.Equal([1.5, -2.25, 1e300], bundle.ReadArray<double>(bundle.GetEntry("float64")));
        Assert.Equal([(Half)0.5, Half.MaxValue], bundle.ReadArray<Half>(bundle.GetEntry("float16")));
        Assert.Equal([-128, 127, 1], bundle.ReadArray<sbyte>(bundle.GetEntry("int8")));
        Assert.Equal([short.MinValue, 7], bundle.ReadArray<short>(bundle.GetEntry("int16")));
        Assert.Equal([int.MinValue, 7], bundle.ReadArray<int>(bundle.GetEntry("int32")));
        Assert.Equal([long.MinValue, 7], bundle.ReadArray<long>(bundle.GetEntry("int64")));
        Assert.Equal([0, 255, 3], bundle.ReadArray<byte>(bundle.GetEntry("uint8")));
        Assert.Equal([ushort.MaxValue], bundle.ReadArray<ushort>(bundle.GetEntry("uint16")));
        Assert.Equal([uint.MaxValue], bundle.ReadArray<uint>(bundle.GetEntry("uint32")));
        Assert.Equal([ulong.MaxValue], bundle.ReadArray<ulong>(bundle.GetEntry("uint64")));
        Assert.Equal([true, false, true], bundle.ReadArray<bool>(bundle.GetEntry("bool")));
        Assert.Equal(["one", "", new string('\0', 300)], bundle.ReadStrings(bundle.GetEntry("string")).Select(Encoding.ASCII.GetString));

        Assert.Equal([1.5f, -2.25f, float.PositiveInfinity], bundle.GetFloats(bundle.GetEntry("float64")).ToArray());
        Assert.Equal([0.5f, 65504f], bundle.GetFloats(bundle.GetEntry("float16")).ToArray());
        Assert.Equal([1.5f, -2f], bundle.GetFloats(bundle.GetEntry("bfloat16")).ToArray());
        Assert.Equal(Gpt2Error.Unsupported, Assert.Throws<Gpt2Exception>(() => bundle.GetFloats(bundle.GetEntry("int8"))).Error);
        Assert.Equal(Gpt2Error.InvalidArgument, Assert.Throws<Gpt2Exception>(() => bundle.ReadArray<int>(bundle.GetEntry("int8"))).Error);
        Assert.Throws<ArgumentException>(() => bundle.ReadArray<decimal>(bundle.GetEntry("int8")));
    }

    [Fact]
    public void Scalars_empty_and_unaligned_tensors_round_trip()
    {
        using (var writer = new TensorBundleWriter(Prefix))
        {
            writer.Add("byte", TensorDType.UInt8, new TensorShape(), [9]);
            writer.AddFloats("unaligned", new TensorShape(3), [1, 2, 3]);
            writer.Add("unaligned_double", TensorDType.Float64, new TensorShape(), BitConverter.GetBytes(0.25));
            writer.AddFloats("empty", new TensorShape(1L << 62, 0, 1L << 62), []);
            writer.AddStrings("no_strings", new TensorShape(0), []);
            writer.AddFloats("scalar", new TensorShape(), [4]);
            writer.Finish();
        }

        using TensorBundle bundle = TensorBundle.Open(Prefix);
        bundle.VerifyAll();
        Assert.Equal(1, bundle.GetEntry("unaligned").Offset);
        Assert.Equal([1f, 2f, 3f], bundle.GetFloats(bundle.GetEntry("unaligned")).ToArray());
        Assert.Equal([0.25f], bundle.GetFloats(bundle.GetEntry("unaligned_double")).ToArray());
        Assert.Equal([4f], bundle.GetFloats(bundle.GetEntry("scalar")).ToArray());
        Assert.Equal("[]", bundle.GetEntry("scalar").Shape.ToString());
        Assert.True(bundle.GetFloats(bundle.GetEntry("empty")).IsEmpty);
        Assert.Empty(bundle.ReadStrings(bundle.GetEntry("no_strings")));
    }

    [Fact]
    public void Checkpoint_without_tensors_round_trips()
    {
        using (var writer = new TensorBundleWriter(Prefix))
            writer.Finish();

        using TensorBundle bundle = TensorBundle.Open(Prefix);
        bundle.EnsureComplete();
        bundle.VerifyAll();
        Assert.Empty(bundle.Entries);
    }

    [Fact]
    public void Slices_on_either_or_both_dimensions_are_put_together()
    {
        float[] whole = [.. Enumerable.Range(0, 100 * 6).Select(i => (float)i)]; // [100, 6]
        var shape = new TensorShape(100, 6);
        using (var writer = new TensorBundleWriter(Prefix, new TensorBundleWriterOptions { ShardCount = 2 }))
        {
            AddSlice(writer, "rows", new(0, 70), TensorExtent.Whole, 0);
            AddSlice(writer, "rows", new(70, 30), TensorExtent.Whole, 1);
            AddSlice(writer, "columns", TensorExtent.Whole, new(4, 2), 1);
            AddSlice(writer, "columns", TensorExtent.Whole, new(0, 4), 0);
            AddSlice(writer, "both", new(0, 99), new(0, 5), 0);
            AddSlice(writer, "both", new(0, 99), new(5, 1), 1);
            AddSlice(writer, "both", new(99, 1), new(0, 5), 0);
            AddSlice(writer, "both", new(99, 1), new(5, 1), 0);
            AddSlice(writer, "one", TensorExtent.Whole, TensorExtent.Whole, 0);
            writer.Finish();
        }

        using TensorBundle bundle = TensorBundle.Open(Prefix);
        bundle.EnsureComplete();
        bundle.VerifyAll();
        Assert.Equal(["both", "columns", "one", "rows"], bundle.Entries.Select(entry => entry.Name));
        foreach (TensorEntry entry in bundle.Entries)
        {
            Assert.True(entry.IsPartitioned);
            Assert.Equal(shape, entry.Shape);
            Assert.Equal(2400, entry.Size);
            Assert.Equal(whole, bundle.GetFloats(entry).ToArray());
            Assert.Equal(whole, MemoryMarshal.Cast<byte, float>(bundle.GetBytes(entry).Span).ToArray());
        }

        void AddSlice(TensorBundleWriter writer, string name, TensorExtent rows, TensorExtent columns, int shard)
        {
            var piece = new List<float>();
            for (long row = rows.Start; row < rows.Start + (rows.Length ?? 100); row++)
            {
                for (long column = columns.Start; column < columns.Start + (columns.Length ?? 6); column++)
                    piece.Add(whole[(row * 6) + column]);
            }

            ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(piece));
            writer.AddSlice(name, TensorDType.Float32, shape, new TensorSlice(rows, columns), bytes, shard);
        }
    }

    [Fact]
    public void Slices_that_overlap_or_leave_a_hole_are_refused()
    {
        foreach ((long length, long secondStart, string words) in new[] { (4, 1, "overlap"), (5, 3, "have 4 elements of its 5") })
        {
            using var writer = new TensorBundleWriter(Prefix);
            writer.AddSlice("x", TensorDType.UInt8, new TensorShape(length), new TensorSlice(new TensorExtent(0, 2)), new byte[2]);
            writer.AddSlice("x", TensorDType.UInt8, new TensorShape(length), new TensorSlice(new TensorExtent(secondStart, 2)), new byte[2]);
            Assert.Contains(words, Assert.Throws<InvalidOperationException>(writer.Finish).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Without_finish_nothing_remains_and_the_old_checkpoint_stays()
    {
        WriteOne(1);
        using (var writer = new TensorBundleWriter(Prefix))
            writer.AddFloats("x", new TensorShape(), [2]);

        Assert.Equal(3, Directory.GetFiles(_folder.Path).Length);
        using (TensorBundle bundle = TensorBundle.Open(_folder.Path))
            Assert.Equal([1f], bundle.GetFloats(bundle.GetEntry("x")).ToArray());

        WriteOne(3);
        using TensorBundle replaced = TensorBundle.Open(_folder.Path);
        replaced.VerifyAll();
        Assert.Equal([3f], replaced.GetFloats(replaced.GetEntry("x")).ToArray());

        void WriteOne(float value)
        {
            using var writer = new TensorBundleWriter(Prefix);
            writer.AddFloats("x", new TensorShape(), [value]);
            writer.Finish();
        }
    }

    [Fact]
    public void Misuse_is_refused()
    {
        using var writer = new TensorBundleWriter(Prefix);
        writer.AddFloats("x", new TensorShape(1), [1]);
        Assert.Throws<ArgumentException>(() => writer.AddFloats("x", new TensorShape(1), [1]));
        Assert.Throws<ArgumentException>(() => writer.AddFloats("y", new TensorShape(2), [1]));
        Assert.Throws<ArgumentException>(() => writer.AddFloats("\0y", new TensorShape(1), [1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.AddFloats("y", new TensorShape(1), [1], shard: 1));
        Assert.Throws<ArgumentException>(() => writer.Add("y", TensorDType.String, new TensorShape(1), [1]));
        var slice = new TensorSlice(new TensorExtent(0, 1));
        writer.AddSlice("s", TensorDType.UInt8, new TensorShape(2), slice, [1]);
        Assert.Throws<ArgumentException>(() => writer.AddSlice("s", TensorDType.UInt8, new TensorShape(2), slice, [1]));
        Assert.Throws<ArgumentException>(() => writer.AddSlice("s", TensorDType.Int8, new TensorShape(2), new TensorSlice(new TensorExtent(1, 1)), [1]));
        Assert.Throws<ArgumentException>(() => writer.AddSlice("s", TensorDType.UInt8, new TensorShape(2), new TensorSlice(new TensorExtent(1, 2)), [1, 2]));
        writer.AddSlice("s", TensorDType.UInt8, new TensorShape(2), new TensorSlice(new TensorExtent(1, 1)), [2]);
        writer.Finish();
        Assert.Throws<ObjectDisposedException>(() => writer.AddFloats("z", new TensorShape(1), [1]));
        Assert.Throws<ObjectDisposedException>(writer.Finish);
    }

    [Fact]
    public void Separator_keys_are_short_and_between()
    {
        Assert.Equal("ac"u8.ToArray(), SortedTableWriter.Separator("abcdef"u8.ToArray(), "adz"u8.ToArray()));
        Assert.Equal("abc"u8.ToArray(), SortedTableWriter.Separator("abc"u8.ToArray(), "abcd"u8.ToArray()));
        Assert.Equal("abz"u8.ToArray(), SortedTableWriter.Separator("abz"u8.ToArray(), "ac"u8.ToArray()));
        Assert.Equal("n"u8.ToArray(), SortedTableWriter.Successor("model"u8.ToArray()));
        Assert.Equal([0xff, 0x02], SortedTableWriter.Successor([0xff, 0x01, 0x05]));
    }

    private static void AddArray<T>(TensorBundleWriter writer, TensorDType dtype, T[] values)
        where T : unmanaged =>
        writer.Add(dtype.DisplayName(), dtype, new TensorShape(values.Length), MemoryMarshal.AsBytes(values.AsSpan()));
}

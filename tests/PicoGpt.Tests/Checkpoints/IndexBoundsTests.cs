using System.Text;
using PicoGpt.Checkpoints;
using PicoGpt.Checkpoints.TensorFlow;
using PicoGpt.Files;
using Xunit;

namespace PicoGpt.Tests.Checkpoints;

/// <summary>An index cannot make a reader use much more memory than the file has bytes, nor much time.</summary>
public sealed class IndexBoundsTests : IDisposable
{
    private const long MaxBytesBeyondTheFile = 64L * 1024 * 1024;

    private readonly TemporaryFolder _folder = new();

    private string Prefix => _folder.File("m");

    private string IndexPath => _folder.File("m.index");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(30_000, 1_000, 1)]
    [InlineData(30_000, 1_000, 100)]
    [InlineData(30_000, 150, 1)]
    [InlineData(4_500, 1_000, 16)]
    public void Long_names_of_tensors_in_many_pieces_are_refused(int nameLength, int pieces, int restartInterval)
    {
        WritePieces(nameLength, pieces, restartInterval);
        Assert.Contains("the keys take more than", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void As_many_pieces_of_as_long_a_name_as_are_allowed_are_read()
    {
        WritePieces(nameLength: 4_000, pieces: 1_000, restartInterval: 16);
        TensorEntry whole = Assert.Single(Open());
        Assert.Equal(1_000, whole.Slices.Count);
    }

    [Fact]
    public void Blocks_that_are_compressed_beyond_all_measure_are_refused()
    {
        byte[] padding = Field(15, new byte[1_000_000]); // a field that nobody knows
        IEnumerable<(byte[] Key, byte[] Value)> entries = Enumerable.Range(0, 40).Select(i => (Key(i), (byte[])[.. Scalar(i), .. padding]));
        WriteTable(entries.Prepend(([], [8, 1])), new TensorBundleWriterOptions { CompressIndex = true });
        Assert.InRange(new FileInfo(IndexPath).Length, 1, 4_000_000);
        Assert.Contains("passes what is left", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Files_that_an_index_only_speaks_of_take_no_memory()
    {
        WriteTable([([], [8, .. (byte[])[0x9F, 0x8D, 6]])]); // 99,999 data files
        Assert.InRange(new FileInfo(IndexPath).Length, 1, 200);
        _ = TensorBundle.Open(Prefix); // what is allocated once
        long before = GC.GetAllocatedBytesForCurrentThread();
        using TensorBundle bundle = TensorBundle.Open(Prefix);
        Assert.Equal(99_999, bundle.ShardCount);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 300_000);
        Assert.EndsWith(".data-99998-of-99999", bundle.GetShardPath(99_998), StringComparison.Ordinal);
    }

    [Fact]
    public void More_files_than_a_checkpoint_may_have_open_are_refused_and_let_go_of()
    {
        string[] paths = [.. Enumerable.Range(0, ShardMappings.MaxFiles + 1).Select(i => _folder.File($"shard-{i}"))];
        foreach (string path in paths) File.WriteAllBytes(path, [1]);
        var files = new ShardMappings(paths);
        for (int i = 0; i < ShardMappings.MaxFiles; i++) Assert.Equal(1, files.Open(i).Length);
        Assert.Contains($"more than {ShardMappings.MaxFiles} files", Assert.Throws<Gpt2Exception>(() => files.Open(ShardMappings.MaxFiles)).Message, StringComparison.Ordinal);
        files.ReleaseHold();
        Assert.Throws<ObjectDisposedException>(() => files.Open(0));
    }

    [Fact]
    public void A_shape_of_more_dimensions_than_TensorFlow_has_is_no_shape()
    {
        Assert.Equal(254, new TensorShape(Enumerable.Repeat(1L, 254).ToArray()).Rank);
        Assert.Throws<ArgumentException>(() => new TensorShape(Enumerable.Repeat(1L, 255).ToArray()));
    }

    [Theory]
    [InlineData(32_767, true)]
    [InlineData(32_768, false)]
    public void Only_so_many_entries_are_read(int count, bool isRead)
    {
        WriteTable(Enumerable.Range(0, count).Select(i => (Key(i), Scalar(i))).Prepend(([], [8, 1])));
        if (isRead)
            Assert.Equal(count, Open().Count);
        else
            Assert.Contains("more than 32768 entries", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void As_much_of_everything_as_is_allowed_is_read_within_the_memory()
    {
        const int Count = 32_700, KeyLength = 128;
        byte[] padding = Field(15, new byte[450]);
        IEnumerable<(byte[] Key, byte[] Value)> entries = Enumerable.Range(0, Count)
            .Select(i => (Encoding.ASCII.GetBytes($"{i:d8}".PadLeft(KeyLength, 'n')), (byte[])[.. Scalar(i), .. padding]));
        WriteTable(entries.Prepend(([], [8, 1])), new TensorBundleWriterOptions { CompressIndex = true });
        Assert.InRange(new FileInfo(IndexPath).Length, 1, 4_000_000);
        Assert.Equal(Count, Open().Count);
    }

    [Theory]
    [InlineData(2, 2_000_000, "its shape has more than 254 dimensions")] // in the shape
    [InlineData(7, 2_000_000, "a slice has more than 254 dimensions")] // in one slice
    public void Dimensions_without_end_are_refused(int field, int count, string words)
    {
        // Two bytes are a dimension: field 2 of a shape, field 1 of a slice.
        byte[] dimension = [(byte)(field == 2 ? 0x12 : 0x0a), 0];
        byte[] message = [.. Enumerable.Repeat(dimension, count).SelectMany(bytes => bytes)];
        WriteTable([([], [8, 1]), (Key(0), [8, 1, .. Field(field, message)])]);
        Assert.Contains(words, Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Slices_without_end_are_refused()
    {
        byte[] slices = [.. Enumerable.Repeat(Field(7, []), 2_000_000).SelectMany(bytes => bytes)];
        WriteTable([([], [8, 1]), (Key(0), [8, 1, .. slices])]);
        Assert.Contains("more than 1000 slices", Refusal(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(254, 1, "more than 16384 dimensions together")]
    [InlineData(16, 10, "its slices have more than 131072 dimensions")]
    public void Slices_of_many_dimensions_are_refused_in_one_tensor_and_in_many(int rank, int tensors, string words)
    {
        byte[] slice = Field(7, [.. Enumerable.Repeat((byte[])[0x0a, 0], rank).SelectMany(bytes => bytes)]);
        byte[] slices = [.. Enumerable.Repeat(slice, 1_000).SelectMany(bytes => bytes)];
        byte[] shape = Field(2, [.. Enumerable.Repeat((byte[])[0x12, 2, 8, 1], rank).SelectMany(bytes => bytes)]);
        byte[] value = [8, 1, .. shape, .. slices];
        WriteTable([([], [8, 1]), .. Enumerable.Range(0, tensors).Select(i => (Key(i), value))]);
        Assert.Contains(words, Refusal(), StringComparison.Ordinal);
    }

    private static byte[] Key(int number) => Encoding.ASCII.GetBytes($"t{number:d8}");

    // a float32 of no dimensions, behind the one before it
    private static byte[] Scalar(int number)
    {
        var value = new List<byte> { 8, 1, 0x20 };
        Varint.Write(value, 4 * (ulong)number);
        return [.. value, 0x28, 4];
    }

    private static byte[] Field(int number, byte[] message)
    {
        var field = new List<byte> { (byte)((number << 3) | (int)ProtoWireType.Bytes) };
        Varint.Write(field, (ulong)message.Length);
        return [.. field, .. message];
    }

    private void WritePieces(int nameLength, int pieces, int restartInterval)
    {
        string name = new('n', nameLength);
        byte[] bytes = Encoding.ASCII.GetBytes(name);
        TensorSlice[] slices = [.. Enumerable.Range(0, pieces).Select(i => new TensorSlice(new TensorExtent(i, 1)))];
        IEnumerable<(byte[] Key, byte[] Value)> stored = slices.Select((slice, i) => (
            OrderedCode.SliceKey(bytes, slice),
            BundleEntryCodec.Encode(new TensorEntry(name, TensorDType.UInt8, new TensorShape(1), 0, i, 1, 0, []))));
        var whole = new TensorEntry(name, TensorDType.UInt8, new TensorShape(pieces), 0, 0, 0, 0, slices);
        WriteTable(
            [([], [8, 1]), .. stored, (bytes, BundleEntryCodec.Encode(whole))],
            new TensorBundleWriterOptions { RestartInterval = restartInterval });
    }

    private void WriteTable(IEnumerable<(byte[] Key, byte[] Value)> entries, TensorBundleWriterOptions? options = null)
    {
        using FileStream file = File.Create(IndexPath);
        var table = new SortedTableWriter(file, options ?? new TensorBundleWriterOptions());
        foreach ((byte[] key, byte[] value) in entries) table.Add(key, value);
        table.Finish();
    }

    private string Refusal() => Assert.Throws<Gpt2Exception>(() => Open()).Message;

    // whether it is read or refused, the memory is counted
    private IReadOnlyList<TensorEntry> Open()
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            using TensorBundle bundle = TensorBundle.Open(Prefix);
            return bundle.Entries;
        }
        finally
        {
            long bytes = GC.GetAllocatedBytesForCurrentThread() - before - new FileInfo(IndexPath).Length;
            Assert.InRange(bytes, 0, MaxBytesBeyondTheFile);
        }
    }
}

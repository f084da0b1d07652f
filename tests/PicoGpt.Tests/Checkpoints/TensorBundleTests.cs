using System.Buffers;
using System.Runtime.InteropServices;
using PicoGpt.Checkpoints;
using PicoGpt.Checkpoints.TensorFlow;
using PicoGpt.Files;
using Xunit;

namespace PicoGpt.Tests.Checkpoints;

public sealed class TensorBundleTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Prefix => _folder.File("model.ckpt");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Unknown_tensor_is_refused_with_the_nearest_names()
    {
        WriteTwoShards();
        using TensorBundle bundle = TensorBundle.Open(Prefix);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => bundle.GetEntry("wpa"));
        Assert.Equal(Gpt2Error.TensorNotFound, fault.Error);
        Assert.Contains("no tensor 'wpa'; the nearest names are 'wpe', 'wte'", fault.Message, StringComparison.Ordinal);
        Assert.False(bundle.TryGetEntry("WPE", out _));
    }

    [Fact]
    public void Aligned_floats_are_the_mapped_file_itself()
    {
        WriteTwoShards();
        using TensorBundle bundle = TensorBundle.Open(Prefix);
        ReadOnlyMemory<float> first = bundle.GetFloats(bundle.GetEntry("wpe"));
        ReadOnlyMemory<float> second = bundle.GetFloats(bundle.GetEntry("wpe"));
        Assert.False(MemoryMarshal.TryGetArray(first, out _));
        Assert.True(first.Span == second.Span, "both should be the same memory");
    }

    [Fact]
    public void Missing_shard_is_named_when_it_is_needed()
    {
        WriteTwoShards();
        File.Delete(Prefix + ".data-00001-of-00002");
        using TensorBundle bundle = TensorBundle.Open(Prefix);
        Assert.Equal([1f, 2f], bundle.GetFloats(bundle.GetEntry("wpe")).ToArray());
        foreach (Action use in new Action[] { () => bundle.EnsureComplete(), () => bundle.GetFloats(bundle.GetEntry("wte")) })
        {
            Gpt2Exception fault = Assert.Throws<Gpt2Exception>(use);
            Assert.Equal(Gpt2Error.FileNotFound, fault.Error);
            Assert.Equal(bundle.GetShardPath(1), fault.Path);
            Assert.Contains("model.ckpt.data-00001-of-00002' is missing", fault.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Stale_shards_beside_the_right_ones_are_ignored()
    {
        WriteTwoShards();
        File.WriteAllText(Prefix + ".data-00000-of-00001", "stale");
        File.WriteAllText(Prefix + ".data-00002-of-00003", "stale");
        using TensorBundle bundle = TensorBundle.Open(Prefix + ".data-00000-of-00001");
        bundle.EnsureComplete();
        bundle.VerifyAll();
    }

    [Fact]
    public void Symbolic_links_to_the_files_are_followed()
    {
        WriteTwoShards();
        using var links = new TemporaryFolder();
        foreach (string file in Directory.GetFiles(_folder.Path))
            Links.ToFile(links.File(Path.GetFileName(file)), file);

        using TensorBundle bundle = TensorBundle.Open(links.Path);
        bundle.EnsureComplete();
        bundle.VerifyAll();

        File.Delete(Prefix + ".data-00001-of-00002");
        File.WriteAllBytes(Prefix + ".data-00001-of-00002", new byte[3]);
        Assert.Equal(Gpt2Error.Truncated, Assert.Throws<Gpt2Exception>(() => bundle.EnsureComplete()).Error);
    }

    [Fact]
    public void Offsets_past_4_GiB_are_read_and_verified()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "files are not sparse here unless asked");
        long[] offsets = [(1L << 32) + 4, (1L << 32) + 13]; // aligned and not
        float[] values = [1.5f, -2f];
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(values.AsSpan());
        using (FileStream data = File.Create(Prefix + ".data-00000-of-00001"))
        using (FileStream index = File.Create(Prefix + ".index"))
        {
            var table = new SortedTableWriter(index, new TensorBundleWriterOptions());
            table.Add([], new BundleHeader(1, IsBigEndian: false, MinimumConsumer: 0).Encode());
            foreach (long offset in offsets)
            {
                data.Position = offset;
                data.Write(bytes);
                uint crc = Crc32C.Mask(Crc32C.Compute(bytes));
                var entry = new TensorEntry($"x{offset}", TensorDType.Float32, new TensorShape(2), 0, offset, bytes.Length, crc, []);
                table.Add(System.Text.Encoding.UTF8.GetBytes(entry.Name), BundleEntryCodec.Encode(entry));
            }

            table.Finish();
        }

        using TensorBundle bundle = TensorBundle.Open(Prefix);
        bundle.EnsureComplete();
        bundle.VerifyAll();
        Assert.Equal(offsets, bundle.Entries.Select(entry => entry.Offset));
        Assert.All(bundle.Entries, entry => Assert.Equal(values, bundle.GetFloats(entry).ToArray()));
    }

    [Fact]
    public void Memory_refuses_after_dispose()
    {
        WriteTwoShards();
        TensorBundle bundle = TensorBundle.Open(Prefix);
        TensorEntry entry = bundle.GetEntry("wpe");
        ReadOnlyMemory<float> floats = bundle.GetFloats(entry);
        bundle.Dispose();
        bundle.Dispose();
        Assert.Throws<ObjectDisposedException>(() => floats.Span.Length);
        Assert.Throws<ObjectDisposedException>(() => bundle.GetBytes(entry));
        Assert.Throws<ObjectDisposedException>(bundle.Hold);
    }

    [Fact]
    public void Hold_keeps_memory_alive_past_dispose()
    {
        WriteTwoShards();
        TensorBundle bundle = TensorBundle.Open(Prefix);
        ReadOnlyMemory<float> floats = bundle.GetFloats(bundle.GetEntry("wpe"));
        IDisposable hold = bundle.Hold();
        bundle.Dispose();
        Assert.Equal([1f, 2f], floats.ToArray());
        Assert.Equal([3f], bundle.GetFloats(bundle.GetEntry("wte")).ToArray()); // a file first mapped while held

        hold.Dispose();
        hold.Dispose();
        Assert.Throws<ObjectDisposedException>(() => floats.Span.Length);
    }

    [Fact]
    public unsafe void Pinned_memory_stays_past_dispose()
    {
        WriteTwoShards();
        TensorBundle bundle = TensorBundle.Open(Prefix);
        ReadOnlyMemory<float> floats = bundle.GetFloats(bundle.GetEntry("wpe"));
        using (MemoryHandle pin = floats.Pin())
        {
            bundle.Dispose();
            Assert.Equal(2f, ((float*)pin.Pointer)[1]);
        }

        Assert.Throws<ObjectDisposedException>(() => floats.Span.Length);
    }

    [Fact]
    public void Verification_reports_every_byte_and_can_be_cancelled()
    {
        WriteTwoShards();
        using TensorBundle bundle = TensorBundle.Open(Prefix);
        var progress = new RecordingProgress();
        bundle.VerifyAll(progress);
        Assert.Equal(12, progress.Values[^1]);
        Assert.Equal(progress.Values.Order(), progress.Values);

        using var cancellation = new CancellationTokenSource();
        cancellation.Cancel();
        Assert.Throws<OperationCanceledException>(() => bundle.Verify(bundle.GetEntry("wpe"), cancellation.Token));
        Assert.ThrowsAny<OperationCanceledException>(() => bundle.VerifyAll(null, cancellation.Token));
    }

    [Fact]
    public void File_in_use_by_another_is_named_and_no_other_exception_escapes()
    {
        WriteTwoShards();
        using TensorBundle bundle = TensorBundle.Open(Prefix);
        using (File.Open(bundle.GetShardPath(0), FileMode.Open, FileAccess.ReadWrite, FileShare.None))
            Assert.Equal([Gpt2Error.Unreadable, null], bundle.CheckAll().Select(check => check.Error?.Error));

        using FileStream index = File.Open(bundle.IndexPath, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => TensorBundle.Open(Prefix));
        Assert.Equal(Gpt2Error.Unreadable, fault.Error);
        Assert.Equal(bundle.IndexPath, fault.Path);
    }

    [Fact]
    public void Bool_bytes_other_than_0_and_1_are_read_as_true()
    {
        using (var writer = new TensorBundleWriter(Prefix))
        {
            writer.Add("flags", TensorDType.Bool, new TensorShape(3), [0, 1, 2]);
            writer.Finish();
        }

        using TensorBundle bundle = TensorBundle.Open(Prefix);
        bool[] flags = bundle.ReadArray<bool>(bundle.GetEntry("flags"));
        Assert.Equal([0, 1, 1], MemoryMarshal.AsBytes(flags.AsSpan()).ToArray());
    }

    [Fact]
    public void Entry_of_another_checkpoint_is_refused()
    {
        WriteTwoShards();
        using TensorBundle bundle = TensorBundle.Open(Prefix);
        using TensorBundle other = TensorBundle.Open(Prefix);
        Assert.Throws<ArgumentException>(() => bundle.GetBytes(other.Entries[0]));
    }

    [Fact]
    public void Shapes_are_values()
    {
        Assert.Equal(new TensorShape(50257, 768), new TensorShape(50257, 768));
        Assert.Equal(new TensorShape(2).GetHashCode(), new TensorShape(2).GetHashCode());
        Assert.True(new TensorShape(1, 2) != new TensorShape(2, 1));
        Assert.Equal("[50257, 768]", new TensorShape(50257, 768).ToString());
        Assert.Equal(50257L * 768, new TensorShape(50257, 768).ElementCount);
        Assert.Equal(1, new TensorShape().ElementCount);
        Assert.Throws<ArgumentException>(() => new TensorShape(-1));
        Assert.Throws<ArgumentException>(() => new TensorShape(1L << 32, 1L << 31));
    }

    private void WriteTwoShards()
    {
        using var writer = new TensorBundleWriter(Prefix, new TensorBundleWriterOptions { ShardCount = 2 });
        writer.AddFloats("wpe", new TensorShape(2), [1, 2], shard: 0);
        writer.AddFloats("wte", new TensorShape(1), [3], shard: 1);
        writer.Finish();
    }

    private sealed class RecordingProgress : IProgress<long>
    {
        public List<long> Values { get; } = [];

        public void Report(long value) => Values.Add(value);
    }
}

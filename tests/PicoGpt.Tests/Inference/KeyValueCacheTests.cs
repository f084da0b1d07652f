using PicoGpt.Architecture;
using PicoGpt.Inference;
using PicoGpt.Numerics;
using PicoGpt.Tests.Numerics;
using PicoGpt.Weights;
using Xunit;

namespace PicoGpt.Tests.Inference;

/// <summary>Keys and values are floats, or where a precision rounds integers of 16 bits, and no way of reading a text changes a bit.</summary>
public sealed unsafe class KeyValueCacheTests
{
    private static readonly int[] Ids = [.. Enumerable.Range(0, 150).Select(i => (i * 37) % 2048)];

    public static TheoryData<Gpt2Precision> Precisions => [.. Enum.GetValues<Gpt2Precision>()];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Precisions))]
    public void Portions_single_tokens_prefixes_of_other_texts_threads_and_widths_change_no_bit(Gpt2Precision precision)
    {
        using Gpt2Model model = BuiltInModel.Open();
        Gpt2Model held = model.WithPrecision(precision);
        int[]? expected = null;
        foreach (Kernels kernels in Kernels.All)
        {
            foreach (int threads in new[] { 1, 2 })
            {
                using var forward = new Gpt2Forward(held, threads, kernels);
                using KeyValueCache whole = forward.NewCache(), portions = forward.NewCache(), single = forward.NewCache(), other = forward.NewCache();
                expected ??= Read(forward, whole, Ids.Length);
                Assert.Equal(expected, Read(forward, portions, 64, 70, 3, 13));
                Assert.Equal(expected, Read(forward, single, [.. Enumerable.Repeat(1, 20), 128, 1, 1]));
                other.CopyFrom(portions, 75);
                other.CopyFrom(portions, 131, from: 70);
                Assert.Equal(expected, Read(forward, other, 12, 7));
            }
        }
    }

    [Fact]
    public void A_cache_is_as_its_model_holds_its_matrices_and_takes_the_memory_that_is_told()
    {
        using Gpt2Model model = BuiltInModel.Open();
        Gpt2HyperParameters h = model.HyperParameters;
        foreach (Gpt2Precision precision in Enum.GetValues<Gpt2Precision>())
        {
            using var forward = new Gpt2Forward(model.WithPrecision(precision), threads: 1, Kernels.Best);
            using KeyValueCache cache = forward.NewCache();
            Assert.Equal(precision != Gpt2Precision.Float32, cache.IsRounded);
            Assert.InRange(cache.Size, 1, Gpt2MemoryNeed.Of(h, precision).Cache / 2); // it grows with the text
            cache.Reserve(h.NCtx);
            Assert.Equal(Gpt2MemoryNeed.Of(h, precision).Cache, cache.Size);
        }
    }

    [Fact]
    public void Floats_and_integers_are_not_copied_onto_each_other()
    {
        using var floats = new KeyValueCache(layers: 1, heads: 1, headSize: 4, capacity: 8) { Length = 1 };
        using var integers = new KeyValueCache(layers: 1, heads: 1, headSize: 4, capacity: 8, isRounded: true);
        Assert.Throws<ArgumentException>(() => integers.CopyFrom(floats, 1));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Nothing_is_stored_behind_the_end(bool isRounded)
    {
        using var cache = new KeyValueCache(layers: 1, heads: 1, headSize: 4, capacity: 8, isRounded);
        using var buffer = new AlignedBuffer(12);
        Matrix rows = buffer.AsMatrix(3, 4);
        cache.Store(Kernels.Best, 0, 0, 5, rows, rows);
        Assert.Throws<ArgumentOutOfRangeException>(() => cache.Store(Kernels.Best, 0, 0, 6, rows, rows));
        Assert.Throws<ArgumentOutOfRangeException>(() => cache.Store(Kernels.Best, 0, 0, -1, rows, rows));
        Assert.Throws<ArgumentOutOfRangeException>(() => cache.Reserve(9));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Nothing_is_stored_where_no_memory_is_reserved(bool isRounded)
    {
        using var cache = new KeyValueCache(layers: 1, heads: 1, headSize: 4, capacity: 200, isRounded);
        using var buffer = new AlignedBuffer(12);
        Matrix rows = buffer.AsMatrix(3, 4);
        Assert.Throws<ArgumentOutOfRangeException>(() => cache.Store(Kernels.Best, 0, 0, 126, rows, rows));
        cache.Reserve(129);
        cache.Store(Kernels.Best, 0, 0, 126, rows, rows);
    }

    [Fact]
    public void A_memory_that_grows_takes_over_what_is_there_and_gives_back_each_piece_that_is_copied()
    {
        const int Layers = 7, Heads = 16, HeadSize = 512; // at one block 4 MiB a layer, four layers a piece; at two blocks 8 MiB, two layers a piece
        using var small = new KeyValueMemory(Layers, Heads, HeadSize, blocks: 1, isRounded: false);
        for (int layer = 0; layer < Layers; layer++) small.Values(layer, Heads - 1)[layer] = (byte)(layer + 1);
        using var large = new KeyValueMemory(Layers, Heads, HeadSize, blocks: 2, isRounded: false, smaller: small);
        Assert.Equal(2 * small.Size, large.Size);
        for (int layer = 0; layer < Layers; layer++)
        {
            Assert.Equal(layer + 1, large.Values(layer, Heads - 1)[layer]);
            Assert.Equal(0, large.Keys(layer, Heads)[-1]);
            Assert.Throws<ObjectDisposedException>(() => (nint)small.Keys(layer, 0));
        }
    }

    [Fact]
    public void A_memory_that_cannot_be_had_leaves_the_smaller_one_as_it_was()
    {
        using var small = new KeyValueMemory(layers: 2, heads: 1, headSize: 64, blocks: 1, isRounded: false);
        small.Keys(1, 0)[5] = 77;
        Assert.Throws<OutOfMemoryException>(() => new KeyValueMemory(layers: 2, heads: 1, headSize: 1 << 20, blocks: 1 << 24, isRounded: false, smaller: small));
        Assert.Equal(77, small.Keys(1, 0)[5]);
    }

    // the bits of the last logits, where the text is read on from what the cache has, in portions
    private static int[] Read(Gpt2Forward forward, KeyValueCache cache, params int[] portions)
    {
        int[] logits = [];
        foreach (int rows in portions)
        {
            forward.Begin();
            forward.Add(cache, Ids.AsSpan(cache.Length, rows));
            forward.Run(Cancellation);
            logits = [.. forward.Logits([rows - 1]).Row(0).ToArray().Select(BitConverter.SingleToInt32Bits)];
        }

        Assert.Equal(Ids.Length, cache.Length);
        return logits;
    }
}

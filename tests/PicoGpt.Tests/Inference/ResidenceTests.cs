using System.Runtime.InteropServices;
using PicoGpt.Architecture;
using PicoGpt.Inference;
using PicoGpt.Machine;
using PicoGpt.Numerics;
using PicoGpt.Weights;
using Xunit;

namespace PicoGpt.Tests.Inference;

/// <summary>Weights that are copied into memory of this process's own are the same weights.</summary>
public sealed class ResidenceTests : IDisposable
{
    private static readonly Gpt2HyperParameters Shape124M = new(50257, 1024, 768, 12, 12);

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string, Gpt2Precision> Variants
    {
        get
        {
            var data = new TheoryData<string, Gpt2Precision>();
            foreach (Kernels kernels in Kernels.All)
            {
                foreach (Gpt2Precision precision in Enum.GetValues<Gpt2Precision>()) data.Add(kernels.Name, precision);
            }

            return data;
        }
    }

    public void Dispose() => _folder.Dispose();

    // Widths that fill no panel, and passes of one row, of a few and of many, before the move and after it.
    [Theory]
    [MemberData(nameof(Variants))]
    public unsafe void A_move_in_the_middle_of_a_text_changes_no_bit(string variant, Gpt2Precision precision)
    {
        foreach ((int heads, int headSize) in ((int, int)[])[(1, 5), (3, 13), (2, 32)])
        {
            using Gpt2Model opened = Random(heads, headSize);
            Gpt2Model model = opened.WithPrecision(precision);
            using var stays = new Gpt2Forward(model, threads: 2, Kernels.Choose(variant));
            using var moves = new Gpt2Forward(model, threads: 2, Kernels.Choose(variant));
            using KeyValueCache one = stays.NewCache(), other = moves.NewCache();
            foreach (int rows in (int[])[7, 1, 1, 5, 40, 1])
            {
                Assert.Equal(Read(stays, one, rows), Read(moves, other, rows));
                moves.Expect(0, resident: true);
            }

            Assert.True(moves.Parameters.Blocks[0].Mlp.CFc.W.HasPanels);
            Assert.NotEqual((nint)stays.Parameters.Wte.Packed.Data + (nint)stays.Parameters.Wte.Plain.Data, (nint)moves.Parameters.Wte.Packed.Data + (nint)moves.Parameters.Wte.Plain.Data);
        }
    }

    [Fact]
    public unsafe void Whoever_runs_a_model_shares_one_copy_which_outlives_the_model_as_long_as_it_is_used()
    {
        Gpt2Model model = BuiltInModel.Open();
        using var first = new Gpt2Forward(model, threads: 1, Kernels.Best);
        using var second = new Gpt2Forward(model, threads: 1, Kernels.Best);
        using KeyValueCache cache = first.NewCache(), again = second.NewCache();
        int[] before = Read(first, cache, 9);
        first.Expect(0, resident: true);
        second.Expect(0, resident: true);
        Assert.Equal((nint)first.Parameters.Blocks[1].Attn.CProj.W.Packed.Data, (nint)second.Parameters.Blocks[1].Attn.CProj.W.Packed.Data);
        model.Dispose();
        first.Dispose();
        Assert.Equal(before, Read(second, again, 9));
    }

    [Fact]
    public void A_model_that_is_closed_is_not_copied_and_what_runs_goes_on_without()
    {
        Gpt2Model model = BuiltInModel.Open();
        using var forward = new Gpt2Forward(model, threads: 1, Kernels.Best);
        using KeyValueCache cache = forward.NewCache();
        int[] before = Read(forward, cache, 9);
        model.Dispose();
        Assert.Null(model.Reside());
        forward.Expect(0, resident: true);
        Assert.False(forward.Parameters.Blocks[0].Mlp.CFc.W.HasPanels);
        cache.Length = 0;
        Assert.Equal(before, Read(forward, cache, 9));
    }

    [Fact]
    public void Weights_that_may_change_are_read_where_they_change()
    {
        using Gpt2Model model = BuiltInModel.Open();
        using Gpt2Model clone = model.Clone();
        using var forward = new Gpt2Forward(clone, threads: 1, Kernels.Best);
        forward.Expect(int.MaxValue, resident: true);
        Assert.False(forward.Parameters.Blocks[0].Mlp.CFc.W.HasPanels);
        using KeyValueCache cache = forward.NewCache();
        int[] before = Read(forward, cache, 4);
        clone.Parameters.Blocks[0].Mlp.CFc.W[0, 0] += 1;
        cache.Length = 0;
        Assert.NotEqual(before, Read(forward, cache, 4));
    }

    [Fact]
    public void Nothing_is_copied_for_a_small_model_a_short_text_or_where_memory_is_short()
    {
        using Gpt2Model model = BuiltInModel.Open();
        using var forward = new Gpt2Forward(model, threads: 1, Kernels.Best);
        forward.Expect(int.MaxValue);
        Assert.False(model.IsResident);
        long size = ResidentWeights.SizeOf(Shape124M, Gpt2Precision.Float32);
        Assert.Equal(4 * ((12L * 12 * 768 * 768) + (50257L * 768)), size);
        Assert.False(Residence.CanPay(model.HyperParameters, Gpt2Precision.Float32, long.MaxValue));
        Assert.False(Residence.CanPay(Shape124M, Gpt2Precision.Float32, (4 * size) - 1));
        Assert.True(Residence.CanPay(Shape124M, Gpt2Precision.Float32, 4 * size));
        Assert.True(Residence.CanPay(Shape124M, Gpt2Precision.Int8, 2 * size));
        Assert.True(Residence.CanPay(Shape124M, Gpt2Precision.Int4, size));
    }

    [Fact]
    public void A_copy_is_made_part_by_part_and_who_comes_when_it_is_there_uses_it_at_once()
    {
        using Gpt2Model model = BuiltInModel.Open();
        using var forward = new Gpt2Forward(model, threads: 1, Kernels.Best);
        using (var pool = new WorkerPool(3))
        {
            model.Reside()!.CopyOn(pool, 0.4);
            Assert.False(model.IsResident);
            forward.Expect(0);
            model.Reside()!.CopyOn(pool, 0.4);
            Assert.False(model.IsResident);
            model.Reside()!.CopyOn(pool, 0.4);
        }

        Assert.True(model.IsResident);
        Assert.False(forward.Parameters.Blocks[0].Mlp.CFc.W.HasPanels);
        forward.Expect(0);
        Assert.True(forward.Parameters.Blocks[0].Mlp.CFc.W.HasPanels);
    }

    // Both ask for parts of it between their passes, and either may find the other copying.
    [Fact]
    public async Task Computations_that_copy_the_same_model_at_once_compute_what_one_alone_does()
    {
        using Gpt2Model model = BuiltInModel.Open();
        int[] Bits(bool isResident)
        {
            using var forward = new Gpt2Forward(model, threads: 2, Kernels.Best);
            using KeyValueCache cache = forward.NewCache();
            forward.Expect(0, isResident);
            return Read(forward, cache, 9);
        }

        int[] expected = Bits(isResident: false);
        foreach (int[] bits in await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => Bits(isResident: true), TestContext.Current.CancellationToken))))
            Assert.Equal(expected, bits);
    }

    [Fact]
    public unsafe void Large_pages_begin_where_one_does_and_hold_what_was_written()
    {
        using var memory = new LargePages((5 << 20) + 3);
        Assert.Equal(0, (nint)memory.Data % (2 << 20));
        var bytes = new Span<byte>(memory.Data, (int)memory.Length);
        bytes.Fill(7);
        Assert.Equal(-1, bytes.IndexOfAnyExcept((byte)7));
        Assert.Throws<ArgumentOutOfRangeException>(() => new LargePages(0));
    }

    // the bits of the logits after the last of so many further tokens
    private static int[] Read(Gpt2Forward forward, KeyValueCache cache, int rows)
    {
        int[] ids = [.. Enumerable.Range(cache.Length, rows).Select(i => i * 37 % forward.Vocabulary)];
        forward.Begin();
        forward.Add(cache, ids);
        forward.Run(TestContext.Current.CancellationToken);
        Matrix logits = forward.Logits([.. Enumerable.Range(0, rows)]);
        List<int> bits = [];
        for (int row = 0; row < rows; row++) bits.AddRange(MemoryMarshal.Cast<float, int>(logits.Row(row)));
        return [.. bits];
    }

    private Gpt2Model Random(int heads, int headSize)
    {
        string path = _folder.File($"{heads} {headSize}");
        if (!Directory.Exists(path)) RandomModel.Write(path, new Gpt2HyperParameters(263, 64, heads * headSize, heads, 2), seed: 5);
        return Gpt2Model.Open(path);
    }
}

using PicoGpt.Architecture;
using PicoGpt.Inference;
using PicoGpt.Weights;
using Xunit;

namespace PicoGpt.Tests.Inference;

public sealed class MemoryCheckTests
{
    private const long GiB = 1L << 30;
    private static readonly Gpt2MemoryNeed Need = new(Weights: 6 * GiB, Cache: GiB, Activations: GiB / 2);

    [Fact]
    public void Enough_memory_is_not_worth_a_word() => Assert.Null(MemoryCheck.Require("M", Need, free: 8 * GiB, total: 16 * GiB));

    [Fact]
    public void Too_little_free_memory_is_told_with_both_numbers()
    {
        string? warning = MemoryCheck.Require("M", Need, free: 7 * GiB, total: 16 * GiB);
        Assert.Contains("7.5 GiB of memory", warning, StringComparison.Ordinal);
        Assert.Contains("only 7.0 GiB are free", warning, StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_fit_is_refused()
    {
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => MemoryCheck.Require("M", Need, free: 7 * GiB, total: 7 * GiB));
        Assert.Equal(Gpt2Error.InsufficientMemory, fault.Error);
        Assert.Contains("7.5 GiB", fault.Message, StringComparison.Ordinal);
        Assert.Contains("7.0 GiB in all", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_be_read_again_from_the_files_must_be_free()
    {
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => MemoryCheck.Require("M", Need, free: GiB, total: 16 * GiB));
        Assert.Equal(Gpt2Error.InsufficientMemory, fault.Error);
        Assert.Contains("only 1.0 GiB are free", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void More_texts_need_more_cache()
    {
        var h = new Gpt2HyperParameters(50257, 1024, 768, 12, 12);
        Assert.Equal(32 * Gpt2MemoryNeed.Of(h).Cache, Gpt2MemoryNeed.Of(h, texts: 32).Cache);
        Assert.Equal(Gpt2MemoryNeed.Of(h).Weights, Gpt2MemoryNeed.Of(h, texts: 32).Weights);
    }
}

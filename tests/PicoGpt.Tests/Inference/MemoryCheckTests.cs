using PicoGpt.Architecture;
using PicoGpt.Exporting;
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
    public void Models_that_run_at_the_same_time_need_the_memory_of_all()
    {
        using Gpt2Model model = BuiltInModel.Open(), other = BuiltInModel.Open();
        Gpt2MemoryNeed need = Gpt2MemoryNeed.Of(model.HyperParameters);
        Assert.Equal(new Gpt2MemoryNeed(2 * need.Weights, 2 * need.Cache, 2 * need.Activations), MemoryCheck.NeedOf([model, other], texts: 1));
        Assert.Equal(new Gpt2MemoryNeed(need.Weights, 2 * need.Cache, 2 * need.Activations), MemoryCheck.NeedOf([model, model], texts: 1));
        Assert.Null(MemoryCheck.Require([model, other]));
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => MemoryCheck.Require([model, other], texts: 1_000_000_000));
        Assert.StartsWith("The models 3M and 3M need ", fault.Message, StringComparison.Ordinal);
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
    public void Weights_that_stay_in_memory_must_fit_into_what_is_free()
    {
        Assert.NotNull(MemoryCheck.Require("M", Need with { Held = 5 * GiB }, free: 7 * GiB, total: 16 * GiB));
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => MemoryCheck.Require("M", Need with { Held = 6 * GiB }, free: 7 * GiB, total: 16 * GiB));
        Assert.Equal(Gpt2Error.InsufficientMemory, fault.Error);
        Assert.Contains("6.0 GiB of the weights are not float32 in their file", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Weights_of_another_type_than_float32_stay_in_memory_unless_they_are_converted()
    {
        using Gpt2Model original = BuiltInModel.Open();
        Assert.Equal(0, Gpt2MemoryNeed.Of(original.Parameters, original.Precision).Held);
        using var folder = new TemporaryFolder();
        ModelExport.Plan(original, folder.Path, "Gguf", precision: Gpt2Precision.Int8).Run();
        using var model = Gpt2Model.Open(folder.Path);
        Gpt2MemoryNeed need = Gpt2MemoryNeed.Of(model.Parameters, Gpt2Precision.Float32);
        Assert.Equal(model.Parameters.Where(weight => weight.Leaf.IsMatrix).Sum(weight => weight.Count) * sizeof(float), need.Held);
        Assert.Equal(0, Gpt2MemoryNeed.Of(model.Parameters, Gpt2Precision.Int8).Held);
        model.WithPrecision(Gpt2Precision.Int8).Prepare(cancellationToken: TestContext.Current.CancellationToken);
        _ = model.Parameters.Select(weight => weight.Statistics.Max).Sum();
        Assert.Equal(need.Held, Gpt2MemoryNeed.Of(model.Parameters, Gpt2Precision.Float32).Held); // nothing was kept
        Gpt2Weight wte = model.Parameters.Wte;
        float[] once = wte.ReadOnce().ToArray();
        Assert.Equal(once, wte.Values.ToArray());
        Assert.Equal(need.Held - (wte.Count * sizeof(float)), Gpt2MemoryNeed.Of(model.Parameters, Gpt2Precision.Float32).Held);
    }

    [Fact]
    public void More_texts_need_more_cache()
    {
        var h = new Gpt2HyperParameters(50257, 1024, 768, 12, 12);
        Assert.Equal(32 * Gpt2MemoryNeed.Of(h).Cache, Gpt2MemoryNeed.Of(h, texts: 32).Cache);
        Assert.Equal(Gpt2MemoryNeed.Of(h).Weights, Gpt2MemoryNeed.Of(h, texts: 32).Weights);
    }
}

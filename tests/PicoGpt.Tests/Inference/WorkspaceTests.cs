using PicoGpt.Inference;
using PicoGpt.Numerics;
using Xunit;

namespace PicoGpt.Tests.Inference;

public sealed class WorkspaceTests
{
    private static readonly int[] Ids = [.. Enumerable.Range(0, 40).Select(i => (i * 37) % 2048)];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void Two_passes_share_threads_memory_and_a_cache_and_the_exact_one_stays_exact()
    {
        using Gpt2Model model = BuiltInModel.Open();
        using var alone = new Gpt2Context(model);
        float[] expected = alone.Forward(Ids, Cancellation).ToArray();

        using var workspace = new Workspace(model.HyperParameters, threads: 2, Kernels.Best);
        using var exact = new Gpt2Forward(model, workspace);
        using var reduced = new Gpt2Forward(model.WithPrecision(Gpt2Precision.Int8), workspace);
        using KeyValueCache cache = exact.NewCache();
        using var decides = new Gpt2Context(exact, cache);
        using var guesses = new Gpt2Context(reduced, cache);
        decides.Read(Ids.AsSpan(0, 30), Cancellation);
        foreach (int id in Ids[30..]) Assert.NotEqual(expected, guesses.Forward([id], Cancellation).ToArray());
        Assert.Equal(Ids.Length, decides.Length);
        decides.Truncate(30);
        Assert.Equal(expected, decides.Forward(Ids.AsSpan(30), Cancellation).ToArray());
    }

    [Fact]
    public void A_pass_over_a_given_cache_leaves_it_to_who_made_it()
    {
        using Gpt2Model model = BuiltInModel.Open();
        using var forward = new Gpt2Forward(model, threads: 1, Kernels.Best);
        using KeyValueCache cache = forward.NewCache();
        using (var context = new Gpt2Context(forward, cache)) context.Read(Ids, Cancellation);
        using var second = new Gpt2Context(forward, cache);
        Assert.Equal(Ids.Length, second.Length);
        Assert.Equal(2048, second.Forward([1], Cancellation).Length);
    }
}

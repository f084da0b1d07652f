using System.Collections.Concurrent;
using PicoGpt.Architecture;
using PicoGpt.Inference;
using PicoGpt.Numerics;
using Xunit;

namespace PicoGpt.Tests.Inference;

public sealed class ForwardHookTests : IDisposable
{
    private const string Pattern = "h1/attn/pattern";

    private static readonly int[] Ids = [.. Enumerable.Range(0, 70).Select(i => (i * 37) % 300)]; // more than one block of keys

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Places => [.. Gpt2Activations.Names(Shapes.Odd).Where(name => !name.StartsWith("h0", StringComparison.Ordinal)), Pattern];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(Gpt2Precision.Float32, false)]
    [InlineData(Gpt2Precision.Float32, true)]
    [InlineData(Gpt2Precision.Int8, false)]
    [InlineData(Gpt2Precision.Int8, true)]
    public void A_hook_that_wants_nothing_or_only_looks_changes_no_bit(Gpt2Precision precision, bool wantsAll)
    {
        using Gpt2Model model = BuiltInModel.Open();
        ConcurrentBag<ActivationSite> seen = [];
        var hook = new TestHook((_, _) => wantsAll, (site, _, _, _, _) => seen.Add(site));
        Assert.Equal(Logits(model.WithPrecision(precision), Ids), Logits(model.WithPrecision(precision), Ids, hook));
        Assert.Equal(wantsAll ? Enum.GetValues<ActivationSite>() : [], seen.Distinct().Order());
    }

    [Fact]
    public void Without_what_attention_and_mlp_add_nothing_but_the_embeddings_is_left()
    {
        using Gpt2Model model = BuiltInModel.Open();
        int layers = model.HyperParameters.NLayer;
        Dictionary<(int Layer, int Position), float[]> residual = [];
        var hook = new TestHook(
            (site, _) => site is ActivationSite.Attention or ActivationSite.Mlp or ActivationSite.ResidualBefore or ActivationSite.ResidualAfter,
            (site, layer, _, row, values) =>
            {
                if (site is ActivationSite.Attention or ActivationSite.Mlp) values.Clear();
                else residual[(site == ActivationSite.ResidualBefore ? layer : layer + 1, row.Position)] = values.ToArray();
            });
        float[] logits = Logits(model, Ids, hook);
        for (int layer = 1; layer <= layers; layer++)
        {
            for (int t = 0; t < Ids.Length; t++) Assert.Equal(residual[(0, t)], residual[(layer, t)]);
        }

        double[][] embeddings = PlainForward.Trace(model, Ids).Activations["h0/resid_pre"];
        AssertClose(PlainForward.LensLogits(model, embeddings), logits, 1e-4);
        Assert.NotEqual(Logits(model, Ids), logits);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public void A_change_at_a_place_is_that_of_the_plain_loops(string place)
    {
        using Gpt2Model odd = RandomOne();
        AssertLikePlain(odd, Ids, place);
        using Gpt2Model model = BuiltInModel.Open();
        float[] changed = AssertLikePlain(model, Ids[..12], place);
        float[] unchanged = Logits(model, Ids[..12]);
        Assert.True(changed.Zip(unchanged, (a, b) => Math.Abs(a - b)).Max() > 0.1, "the change is too small to be tested");
    }

    [Fact]
    public void Texts_of_a_batch_are_changed_each_by_its_own_positions()
    {
        using Gpt2Model model = BuiltInModel.Open();
        int[][] texts = [Ids[..9], Ids[20..25], Ids[30..60]];
        TestHook hook = Changing(model.HyperParameters, "h2/attn/v", "h3/mlp", Pattern, "wpe", "logits");
        using var forward = new Gpt2Forward(model, threads: 2, Kernels.Best) { Hook = hook };
        KeyValueCache[] caches = [.. texts.Select(_ => forward.NewCache())];
        forward.Begin();
        int[] last = [.. texts.Select((ids, i) => forward.Add(caches[i], ids) + ids.Length - 1)];
        forward.Run(TestContext.Current.CancellationToken);
        Matrix logits = forward.Logits(last);
        for (int i = 0; i < texts.Length; i++)
        {
            using var alone = new Gpt2Context(model) { Hook = hook };
            Assert.True(alone.Forward(texts[i], TestContext.Current.CancellationToken).SequenceEqual(logits.Row(i)), $"text {i}");
            caches[i].Dispose();
        }
    }

    [Fact]
    public void Kept_activations_are_what_a_hook_sees_and_change_no_bit()
    {
        using Gpt2Model model = RandomOne();
        Dictionary<(ActivationSite, int Layer, int Position), float[]> seen = [];
        var hook = new TestHook(
            (site, _) => site != ActivationSite.Pattern, (site, layer, _, row, values) => seen[(site, layer, row.Position)] = values.ToArray());
        float[] expected = Logits(model, Ids, hook);

        using var workspace = new Workspace(Shapes.Odd, threads: 2, Kernels.Best, ActivationMemory.Kept);
        using var forward = new Gpt2Forward(model, workspace);
        using KeyValueCache cache = forward.NewCache();
        using var context = new Gpt2Context(forward, cache);
        float[] logits = new float[expected.Length];
        context.Forward(Ids, logits, TestContext.Current.CancellationToken);
        Assert.Equal(expected, logits);
        for (int layer = 0; layer < Shapes.Odd.NLayer; layer++)
        {
            BlockActivations a = workspace.Activations[layer];
            int n = Shapes.Odd.NEmbd;
            (ActivationSite Site, Matrix Values)[] all =
            [
                (ActivationSite.ResidualBefore, a.ResidualBefore), (ActivationSite.Ln1, a.Ln1), (ActivationSite.Query, a.Qkv.Only(0, n)),
                (ActivationSite.Key, a.Qkv.Only(n, n)), (ActivationSite.Value, a.Qkv.Only(2 * n, n)), (ActivationSite.Heads, a.Heads),
                (ActivationSite.Attention, a.Attention), (ActivationSite.ResidualMiddle, a.ResidualMiddle), (ActivationSite.Ln2, a.Ln2),
                (ActivationSite.Hidden, a.Hidden), (ActivationSite.Gelu, a.Gelu), (ActivationSite.Mlp, a.Mlp),
                (ActivationSite.ResidualAfter, a.ResidualAfter),
            ];
            foreach ((ActivationSite site, Matrix values) in all)
            {
                for (int t = 0; t < Ids.Length; t++) Assert.True(values.Row(t).SequenceEqual(seen[(site, layer, t)]), $"{site} {layer} {t}");
            }
        }
    }

    // The engine reads in portions, so that changed keys and values are looked back at in the cache.
    private static float[] AssertLikePlain(Gpt2Model model, int[] ids, string place)
    {
        float[] logits = Logits(model, ids, Changing(model.HyperParameters, place));
        double[] expected = PlainForward.Logits(model, ids, (name, values) =>
            name == place || (place == Pattern && name.StartsWith(Pattern, StringComparison.Ordinal))
                ? [.. values.Select((row, t) => row.Select((value, i) => Changed(value, t, i)).ToArray())]
                : values);
        AssertClose(expected, logits, 1e-4);
        return logits;
    }

    private static TestHook Changing(Gpt2HyperParameters h, params string[] places)
    {
        HashSet<(ActivationSite, int)> wanted =
            [.. places.Select(place => place == Pattern ? (ActivationSite.Pattern, 1) : Gpt2Activations.PlaceOf(place, h))];
        return new TestHook(
            (site, layer) => wanted.Contains((site, layer)),
            (_, _, _, row, values) =>
            {
                for (int i = 0; i < values.Length; i++) values[i] = (float)Changed(values[i], row.Position, i);
            });
    }

    private static double Changed(double value, int position, int i) => (-0.5 * value) + (0.05 * ((position + i) % 3));

    private static float[] Logits(Gpt2Model model, int[] ids, IForwardHook? hook = null)
    {
        int n_vocab = model.HyperParameters.NVocab, first = ids.Length / 3;
        using var context = new Gpt2Context(model, threads: 2) { Hook = hook };
        float[] logits = new float[ids.Length * n_vocab];
        context.Forward(ids.AsSpan(0, first), logits.AsSpan(0, first * n_vocab), TestContext.Current.CancellationToken);
        context.Forward(ids.AsSpan(first), logits.AsSpan(first * n_vocab), TestContext.Current.CancellationToken);
        return logits;
    }

    private static void AssertClose(double[] expected, float[] actual, double tolerance)
    {
        double scale = expected.Max(Math.Abs);
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], tolerance * scale);
    }

    private Gpt2Model RandomOne()
    {
        RandomModel.Write(_folder.Path, Shapes.Odd, seed: 4);
        return Gpt2Model.Open(_folder.Path);
    }
}

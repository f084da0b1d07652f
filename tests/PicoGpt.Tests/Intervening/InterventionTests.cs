using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using PicoGpt.Inference;
using PicoGpt.Intervening;
using PicoGpt.Measuring;
using PicoGpt.Numerics;
using PicoGpt.Tests.Inference;
using PicoGpt.Tracing;
using Xunit;

namespace PicoGpt.Tests.Intervening;

[SuppressMessage("Performance", "CA1814", Justification = "Activations are matrices.")]
public sealed class InterventionTests : IDisposable
{
    private static readonly int[] Ids = [.. Enumerable.Range(0, 70).Select(i => (i * 37) % 300)]; // more than one block of keys

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string, Gpt2Precision> SitesAndPrecisions
    {
        get
        {
            var data = new TheoryData<string, Gpt2Precision>();
            string[] sites = [.. Gpt2Activations.Sites(Shapes.Odd).Where(site => !site.StartsWith("h0", StringComparison.Ordinal))];
            foreach (Gpt2Precision precision in Enum.GetValues<Gpt2Precision>())
            {
                foreach (string site in sites) data.Add(site, precision);
            }

            return data;
        }
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(SitesAndPrecisions))]
    public void Every_change_at_every_site_is_that_of_the_plain_loops(string site, Gpt2Precision precision)
    {
        RandomModel.Write(_folder.Path, Shapes.Odd, seed: 4);
        using Gpt2Model model = Gpt2Model.Open(_folder.Path, precision: precision);
        float[] unchanged = Logits(model, Ids);
        foreach (Gpt2Intervention change in Changes(model, site))
        {
            double[] expected = PlainForward.Logits(model, Ids, (name, values) => Plain(change, name, values));
            float[] logits = Logits(model, Ids, change);
            AssertClose(expected, logits, precision == Gpt2Precision.Int4 ? 0.01 : 1e-4); // what lies between two integers of 8 bits goes either way
            bool isSame = site == "wpe" && change.Kind == InterventionKind.Patch; // every text has the same embeddings of positions
            Assert.Equal(isSame, unchanged.SequenceEqual(logits));
        }
    }

    [Fact]
    public void Heads_neurons_and_positions_are_chosen_as_the_plain_loops_choose_them()
    {
        using Gpt2Model model = BuiltInModel.Open();
        int[] ids = [.. Ids[..12].Select(id => id + 5)];
        Gpt2Intervention[] changes =
        [
            new(InterventionKind.Zero, "h*/attn/z") { Layers = [1, 4], Heads = [0, 2], Positions = [3, 11] },
            new(InterventionKind.Scale, "h2/attn/q") { Heads = [1], Neurons = [5, 60], Factor = -3 },
            new(InterventionKind.Zero, "h[0-3]/attn/pattern") { Heads = [2], Neurons = [0, 4] },
            new(InterventionKind.Value, "h3/mlp/gelu") { Neurons = [7, 700], Positions = [2, 5], Values = new float[,] { { 3, -2 }, { 5, 8 } } },
            new(InterventionKind.Add, "h?/resid_mid") { Layers = [2], Neurons = [9], Values = Gpt2Intervention.Row([40]), Factor = 0.5f },
        ];
        float[] all = Logits(model, ids, changes);
        AssertClose(PlainForward.Logits(model, ids, (name, values) => changes.Aggregate(values, (now, change) => Plain(change, name, now))), all);
        foreach (Gpt2Intervention change in changes)
        {
            float[] logits = Logits(model, ids, change);
            AssertClose(PlainForward.Logits(model, ids, (name, values) => Plain(change, name, values)), logits);
            Assert.NotEqual(all, logits);
        }
    }

    [Fact]
    public void Several_changes_are_made_in_their_order()
    {
        using Gpt2Model model = BuiltInModel.Open();
        Gpt2Intervention add = new(InterventionKind.Add, "h1/mlp") { Values = Gpt2Intervention.Row([2]) };
        Gpt2Intervention scale = new(InterventionKind.Scale, "h1/mlp") { Factor = 3 };
        Gpt2Intervention addThrice = new(InterventionKind.Add, "h1/mlp") { Values = Gpt2Intervention.Row([2]), Factor = 3 };
        AssertClose([.. Logits(model, Ids, scale, addThrice).Select(v => (double)v)], Logits(model, Ids, add, scale));
        Assert.NotEqual(Logits(model, Ids, scale, add), Logits(model, Ids, add, scale));
    }

    [Fact]
    public void Without_heads_and_mlps_exactly_the_embeddings_are_left()
    {
        using Gpt2Model model = BuiltInModel.Open();
        Gpt2Intervention nothing = new(InterventionKind.Zero, "h*/attn", "h*/mlp");
        Gpt2Trace trace = Trace(model, "Once upon a time", [nothing], "h0/resid_pre", "h*/resid_post");
        for (int layer = 0; layer < model.HyperParameters.NLayer; layer++) Assert.Equal(trace.Activations["h0/resid_pre"], trace.Activations[$"h{layer}/resid_post"]);
    }

    [Theory]
    [InlineData(Gpt2Precision.Float32)]
    [InlineData(Gpt2Precision.Int8)]
    public void Patching_the_first_residual_everywhere_gives_the_other_texts_logits_to_the_last_bit(Gpt2Precision precision)
    {
        using Gpt2Model model = BuiltInModel.Open();
        Gpt2Model view = model.WithPrecision(precision);
        const string One = "The king went to the old house", Other = "A girl ran over the green hill";
        Gpt2Trace other = Trace(view, Other, [], "h0/resid_pre", "logits");
        Gpt2Intervention patch = new(InterventionKind.Patch, "h0/resid_pre") { From = [other] };
        Gpt2Trace patched = Trace(view, One, [patch], "logits");
        Assert.Equal(other.Tokens.Count, patched.Tokens.Count);
        Assert.Equal(other.Activations["logits"], patched.Activations["logits"]);
        Assert.NotEqual(other.Activations["logits"], Trace(view, One, [], "logits").Activations["logits"]);
    }

    [Fact]
    public void Changed_texts_are_the_same_bits_in_portions_in_batches_and_at_every_width()
    {
        using Gpt2Model model = BuiltInModel.Open();
        Gpt2Intervention[] changes = [.. Changes(model, "h2/attn/pattern"), new(InterventionKind.Scale, "h4/attn/v") { Factor = 2, Positions = [3, 4, 9] }];
        float[] expected = Logits(model, Ids[..40], changes);
        foreach (Kernels kernels in Kernels.All)
        {
            using var context = new Gpt2Context(model, threads: 3, kernels) { Hook = HookChain.Of(model, changes, 40) };
            float[] logits = new float[expected.Length];
            int n_vocab = model.HyperParameters.NVocab;
            for (int t = 0; t < 40; t++) context.Forward(Ids.AsSpan(t, 1), logits.AsSpan(t * n_vocab, n_vocab), TestContext.Current.CancellationToken);
            Assert.Equal(expected, logits);
        }

        string[] texts = ["He went home and slept for a long time.", "The sea was as blue as it had ever been before", "He went home and said that he was tired"];
        GenerationOptions options = new() { MaxTokens = 20, Interventions = changes };
        using var batch = new BatchGenerator(model, options, batchSize: 3);
        foreach (string text in texts) batch.Add(text);
        List<Gpt2Completion> together = [];
        while (!batch.IsEmpty) together.AddRange(batch.Advance(TestContext.Current.CancellationToken));
        for (int i = 0; i < texts.Length; i++)
        {
            Gpt2Completion alone = TextGeneration.Run(model, texts[i], options with { Speculation = false }, TestContext.Current.CancellationToken);
            Assert.Equal(alone.Ids, together[i].Ids);
            Assert.NotEqual(TextGeneration.Run(model, texts[i], options with { Interventions = [] }, TestContext.Current.CancellationToken).Ids, alone.Ids);
        }
    }

    [Fact]
    public void Measures_are_of_the_changed_model()
    {
        using Gpt2Model model = BuiltInModel.Open();
        Gpt2Intervention change = new(InterventionKind.Zero, "h0/mlp");
        const string Text = "Once upon a time there was a king.";
        MeasureOptions options = new() { NoStartToken = true, Interventions = [change] };
        Gpt2TextMeasure measure = TextMeasurer.Measure(model, Text, options, TestContext.Current.CancellationToken);
        Gpt2Trace trace = Trace(model, Text, [change], "logits");
        for (int t = 1; t < trace.Tokens.Count; t++)
        {
            float[] logits = [.. Enumerable.Range(0, model.HyperParameters.NVocab).Select(v => trace.Activations["logits"][t - 1, v])];
            Assert.Equal(new TokenDistribution(logits).LogProbabilityOf(trace.Tokens[t].Id), measure.Tokens[t].LogProbability!.Value, 1e-9);
        }
    }

    [Theory]
    [MemberData(nameof(Wrong))]
    public void What_there_is_not_is_told_in_a_sentence_that_lists_what_there_is(string message, Gpt2Intervention change)
    {
        using Gpt2Model model = BuiltInModel.Open();
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(
            () => new TextTracer(model, "Once upon a time", new TraceOptions { Norms = true, Interventions = [change] }));
        Assert.Equal(Gpt2Error.InvalidArgument, fault.Error);
        Assert.Contains(message, fault.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, Gpt2Intervention> Wrong()
    {
        var data = new TheoryData<string, Gpt2Intervention>
        {
            { "has no site 'h9/attn'; there are wte, wpe, ln_f, logits, and in the layers h0 to h5 resid_pre, ln_1, attn/q", new(InterventionKind.Zero, "h9/attn") },
            { "There is no layer 6 in 3M, which has 6; give numbers from 0 to 5.", new(InterventionKind.Zero, "h*/mlp") { Layers = [6] } },
            { "There is no head 3 in a layer of 3M, which has 3;", new(InterventionKind.Zero, "h*/attn/z") { Heads = [3] } },
            { "h0/mlp has no heads; those are chosen at attn/q,", new(InterventionKind.Zero, "h0/mlp") { Heads = [1] } },
            { "There is no position 40 in the text, which has 5;", new(InterventionKind.Zero, "h0/mlp") { Positions = [40] } },
            { "There is no neuron 192 in h0/mlp, which has 192;", new(InterventionKind.Zero, "h0/mlp") { Neurons = [192] } },
            { "There is no neuron 64 in a head of h0/attn/q, which has 64;", new(InterventionKind.Zero, "h0/attn/q") { Heads = [1], Neurons = [64] } },
            { "2 values are given for h0/mlp, where 192 are chosen; give one, or 192.", new(InterventionKind.Add, "h0/mlp") { Values = Gpt2Intervention.Row([1, 2]) } },
            { "2 rows of values are given for 0 chosen positions of h0/mlp;", new(InterventionKind.Value, "h0/mlp") { Values = new float[2, 1] } },
            { "None of the sites 'wte' is in the layers 2.", new(InterventionKind.Zero, "wte") { Layers = [2] } },
            { "There are no values to put at wte.", new(InterventionKind.Value, "wte") },
            { "A patch is from one text, and 0 traces are given", new(InterventionKind.Patch, "wte") },
        };
        using Gpt2Model model = BuiltInModel.Open();
        Gpt2Trace trace = Trace(model, "He went", [], "h1/mlp");
        data.Add("has only h1/mlp, and h2/mlp is wanted; trace the text again and keep that activation.", new(InterventionKind.Patch, "h2/mlp") { From = [trace] });
        data.Add("has 2 positions, 0 to 1; there is no position 3.", new(InterventionKind.Patch, "h1/mlp") { From = [trace], Positions = [3] });
        data.Add("has no pattern of layer 1, head 0; trace the text again", new(InterventionKind.Mean, "h1/attn/pattern") { From = [trace] });
        return data;
    }

    [Fact]
    public void A_position_that_a_text_does_not_come_to_is_that_texts_fault()
    {
        using Gpt2Model model = BuiltInModel.Open();
        Gpt2Intervention change = new(InterventionKind.Zero, "h0/mlp") { Positions = [9] };
        using var measurer = new TextMeasurer(model, new MeasureOptions { Interventions = [change] });
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => measurer.Add("Hi"));
        Assert.Contains("Position 9 is to be changed, but the text has positions", fault.Message, StringComparison.Ordinal);
        Assert.Throws<Gpt2Exception>(() => new TextGeneration(model, "Hi", new GenerationOptions { MaxTokens = 3, Interventions = [change] }));
    }

    // One of each kind, at a site.
    private static Gpt2Intervention[] Changes(Gpt2Model model, string site)
    {
        bool isPattern = site.EndsWith("pattern", StringComparison.Ordinal);
        int width = isPattern ? 1 : Gpt2Activations.WidthOf(site, model.HyperParameters);
        string[] kept = isPattern ? [] : [site];
        Gpt2Trace[] others =
        [
            .. new[] { 11, 50 }.Select(first => Trace(model, string.Concat(Enumerable.Repeat("Oh no! ", first)).AsSpan(first, first).ToString(), [], kept)),
        ];
        return
        [
            new(InterventionKind.Zero, site) { Positions = [.. Enumerable.Range(0, 20)] },
            new(InterventionKind.Scale, site) { Factor = -1.5f },
            new(InterventionKind.Value, site) { Values = Gpt2Intervention.Row([.. Enumerable.Range(0, width).Select(i => (i % 3) * 0.1f)]) },
            new(InterventionKind.Add, site) { Values = Gpt2Intervention.Row([.. Enumerable.Range(0, width).Select(i => ((i % 5) + 1) * 0.2f)]), Factor = 2 },
            new(InterventionKind.Patch, site) { From = [others[1]] },
            new(InterventionKind.Mean, site) { From = others },
        ];
    }

    // What an intervention does, written down once more: on whole arrays, in double precision.
    private static double[][] Plain(Gpt2Intervention change, string name, double[][] values)
    {
        Match pattern = Regex.Match(name, @"^(?<site>.*/pattern)/(?<head>\d+)$");
        string site = pattern.Success ? pattern.Groups["site"].Value : name;
        int layer = name[0] == 'h' ? name[1] - '0' : -1;
        if (!change.Sites.Any(s => Matches(s, site)) || (change.Layers.Count > 0 && !change.Layers.Contains(layer))) return values;
        int ofHead = pattern.Success ? int.Parse(pattern.Groups["head"].Value, null) : -1;
        if (ofHead >= 0 && change.Heads.Count > 0 && !change.Heads.Contains(ofHead)) return values;
        double[][] result = [.. values.Select(row => row.ToArray())];
        for (int t = 0; t < values.Length; t++)
        {
            if (change.Positions.Count > 0 && !change.Positions.Contains(t)) continue;
            int chosen = 0;
            for (int i = 0; i < values[t].Length; i++)
            {
                int headSize = values[t].Length / 3, head = ofHead < 0 && change.Heads.Count > 0 ? i / headSize : -1;
                if (head >= 0 && !change.Heads.Contains(head)) continue;
                if (change.Neurons.Count > 0 && !change.Neurons.Contains(head >= 0 ? i % headSize : i)) continue;
                double? next = After(change, site, ofHead, t, i, chosen++, values[t][i]);
                if (next is { } value) result[t][i] = value;
            }
        }

        return result;
    }

    private static double? After(Gpt2Intervention change, string site, int head, int t, int i, int chosen, double now)
    {
        int row = change.Values?.GetLength(0) > 1 ? change.Positions.Index().First(pair => pair.Item == t).Index : 0;
        double Given() => change.Values!.GetLength(1) == 1 ? change.Values[row, 0] : change.Values[row, chosen];
        float[][,] others = [.. change.From.Select(from => head >= 0 ? from.Attention![site[1] - '0']![head]! : from.Activations[site])];
        switch (change.Kind)
        {
            case InterventionKind.Zero: return 0;
            case InterventionKind.Scale: return now * change.Factor;
            case InterventionKind.Value: return Given();
            case InterventionKind.Add: return now + (change.Factor * Given());
            case InterventionKind.Patch: return t < others[0].GetLength(0) ? others[0][t, i] : null;
            default:
                if (head < 0) return others.Sum(other => Enumerable.Range(0, other.GetLength(0)).Sum(r => (double)other[r, i])) / others.Sum(other => other.GetLength(0));
                float[][,] reaching = [.. others.Where(other => other.GetLength(0) > t)];
                return reaching.Length == 0 ? null : reaching.Average(other => (double)other[t, i]);
        }
    }

    private static bool Matches(string pattern, string name) =>
        Regex.IsMatch(name, $"^{pattern.Replace("*", ".*", StringComparison.Ordinal).Replace("?", ".", StringComparison.Ordinal)}$");

    private static Gpt2Trace Trace(Gpt2Model model, string text, IReadOnlyList<Gpt2Intervention> changes, params string[] kept)
    {
        string[] names = [.. Gpt2Activations.Names(model.HyperParameters).Where(name => kept.Any(pattern => Matches(pattern, name)))];
        var options = new TraceOptions { Attention = kept.Length == 0, Activations = names, Interventions = changes };
        return new TextTracer(model, text, options).Trace(TestContext.Current.CancellationToken);
    }

    private static float[] Logits(Gpt2Model model, int[] ids, params Gpt2Intervention[] changes)
    {
        int n_vocab = model.HyperParameters.NVocab, first = ids.Length / 3;
        using var context = new Gpt2Context(model, threads: 2) { Hook = HookChain.Of(model, changes, ids.Length) };
        float[] logits = new float[ids.Length * n_vocab];
        context.Forward(ids.AsSpan(0, first), logits.AsSpan(0, first * n_vocab), TestContext.Current.CancellationToken);
        context.Forward(ids.AsSpan(first), logits.AsSpan(first * n_vocab), TestContext.Current.CancellationToken);
        return logits;
    }

    private static void AssertClose(double[] expected, float[] actual, double tolerance = 1e-4)
    {
        double scale = expected.Max(Math.Abs);
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], tolerance * scale);
    }
}

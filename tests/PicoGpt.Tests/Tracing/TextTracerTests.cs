using PicoGpt.Architecture;
using PicoGpt.Inference;
using PicoGpt.Numerics;
using PicoGpt.Tests.Inference;
using PicoGpt.Tracing;
using Xunit;

namespace PicoGpt.Tests.Tracing;

public sealed class TextTracerTests
{
    private const string Text = "Once upon a time there was a little girl, and the king";

    private static readonly TraceOptions Everything = new() { Attention = true, LogitLens = true, Norms = true };

    public static TheoryData<Gpt2Precision> Precisions => [.. Enum.GetValues<Gpt2Precision>()];

    [Theory]
    [MemberData(nameof(Precisions))]
    public void The_lens_of_the_last_layer_is_the_models_own_logits_to_the_last_bit(Gpt2Precision precision)
    {
        using var folder = new TemporaryFolder();
        var shape = new Gpt2HyperParameters(NVocab: 300, NCtx: 400, NEmbd: 48, NHead: 3, NLayer: 2);
        RandomModel.Write(folder.Path, shape, seed: 5);
        using Gpt2Model model = Gpt2Model.Open(folder.Path, precision: precision);
        string text = string.Concat(Enumerable.Repeat("The king and I. ", 20)); // more than one portion of rows
        var tracer = new TextTracer(model, text, Everything with { Top = 300, Activations = Gpt2Activations.Names(shape) });
        Assert.True(tracer.Tokens.Count > Gpt2Forward.MaxRows);
        Gpt2Trace trace = tracer.Trace(TestContext.Current.CancellationToken);

        float[] logits = new float[tracer.Tokens.Count * shape.NVocab];
        using var context = new Gpt2Context(model);
        context.Forward([.. tracer.Tokens.Select(token => token.Id)], logits, TestContext.Current.CancellationToken);
        foreach (LensPrediction prediction in trace.LogitLens![^1]!)
        {
            float[] lens = new float[shape.NVocab];
            foreach (LensToken token in prediction.Top) lens[token.Id] = token.Logit;
            Assert.Equal(logits.AsSpan(prediction.Position * shape.NVocab, shape.NVocab).ToArray(), lens);
        }
    }

    [Fact]
    public void All_that_passes_through_agrees_with_the_plain_loops()
    {
        using Gpt2Model model = BuiltInModel.Open();
        IReadOnlyList<string> names = Gpt2Activations.Names(model.HyperParameters);
        Gpt2Trace trace = Trace(model, Text, Everything with { Activations = names });
        (Dictionary<string, double[][]> expected, double[][][][] attention) = PlainForward.Trace(model, Ids(trace));
        Assert.Equal(expected.Keys.Order(), names.Order());
        Assert.Equal(names.Order(), trace.Activations.Keys.Order());
        foreach ((string name, double[][] rows) in expected) AssertClose(rows, trace.Activations[name], 2e-4, name);
        for (int layer = 0; layer < attention.Length; layer++)
        {
            for (int head = 0; head < attention[layer].Length; head++)
                AssertClose(attention[layer][head], trace.Attention![layer]![head]!, 2e-5, $"attention {layer} {head}");
            AssertNorms(expected[$"h{layer}/resid_pre"], trace.ResidualNorms![layer]);
            AssertNorms(expected[$"h{layer}/resid_post"], trace.ResidualNorms![layer + 1]);
        }
    }

    [Fact]
    public void The_lens_of_every_layer_agrees_with_the_plain_loops()
    {
        using Gpt2Model model = BuiltInModel.Open();
        int vocabulary = model.HyperParameters.NVocab;
        Gpt2Trace trace = Trace(model, Text, Everything with { Top = 3 });
        int[] ids = Ids(trace);
        Dictionary<string, double[][]> expected = PlainForward.Trace(model, ids).Activations;
        for (int layer = 0; layer < model.HyperParameters.NLayer; layer++)
        {
            double[] all = PlainForward.LensLogits(model, expected[$"h{layer}/resid_post"]);
            foreach (LensPrediction prediction in trace.LogitLens![layer]!) AssertPrediction(all[(prediction.Position * vocabulary)..][..vocabulary], prediction, ids);
        }
    }

    [Fact]
    public void Attention_sums_to_one_and_never_looks_ahead()
    {
        using Gpt2Model model = BuiltInModel.Open();
        string text = string.Concat(Enumerable.Repeat("He went to the sea. ", 30)); // several blocks of keys
        Gpt2Trace trace = Trace(model, text, new TraceOptions { Attention = true });
        foreach (float[,] pattern in trace.Attention!.SelectMany(heads => heads!).OfType<float[,]>())
        {
            for (int t = 0; t < trace.Tokens.Count; t++)
            {
                double sum = 0;
                for (int j = 0; j < trace.Tokens.Count; j++)
                {
                    sum += pattern[t, j];
                    if (j > t) Assert.Equal(0f, pattern[t, j]);
                }

                Assert.Equal(1, sum, 1e-5);
            }
        }
    }

    [Fact]
    public void Every_vector_width_and_thread_count_gives_the_same_bits()
    {
        using Gpt2Model model = BuiltInModel.Open();
        float[] expected = Flat(new TextTracer(model, Text, Everything with { Threads = 1 }, Kernels.Choose("plain")));
        foreach (Kernels kernels in Kernels.All) Assert.Equal(expected, Flat(new TextTracer(model, Text, Everything with { Threads = 3 }, kernels)));
    }

    [Fact]
    public void Only_what_is_asked_for_is_kept()
    {
        using Gpt2Model model = BuiltInModel.Open();
        Gpt2Trace nothing = Trace(model, Text, new TraceOptions());
        Assert.Null(nothing.Attention);
        Assert.Null(nothing.LogitLens);
        Assert.Null(nothing.ResidualNorms);
        Assert.Empty(nothing.Activations);

        Gpt2Trace some = Trace(model, Text, Everything with { Layers = [4, 1], Heads = [2], Activations = ["h3/attn"] });
        Assert.Equal([1, 4], some.Layers);
        Assert.Equal([2], some.Heads);
        Assert.Equal([1, 4], Kept(some.Attention!));
        Assert.Equal([2], Kept(some.Attention![4]!));
        Assert.Equal([1, 4], Kept(some.LogitLens!));
        Assert.Equal(7, some.ResidualNorms!.Count);
        Assert.Equal("h3/attn", Assert.Single(some.Activations.Keys));
    }

    [Fact]
    public void The_mean_of_patterns_is_theirs()
    {
        using Gpt2Model model = BuiltInModel.Open();
        Gpt2Trace trace = Trace(model, Text, new TraceOptions { Attention = true, Layers = [2, 3], Heads = [0, 1] });
        float expected = (trace.Attention![2]![0]![5, 3] + trace.Attention[2]![1]![5, 3]) / 2;
        Assert.Equal(expected, trace.MeanAttention(layer: 2)[5, 3], 1e-7f);
        Assert.Equal(trace.Attention[3]![1]![5, 3], trace.MeanAttention(3, 1)[5, 3]);
        Assert.Equal(Gpt2Error.InvalidArgument, Assert.Throws<Gpt2Exception>(() => trace.MeanAttention(layer: 5)).Error);
    }

    [Fact]
    public void An_empty_text_is_the_end_of_text()
    {
        using Gpt2Model model = BuiltInModel.Open();
        Gpt2Trace trace = Trace(model, "", Everything);
        Assert.Equal(model.Encoder.EndOfText, Assert.Single(trace.Tokens).Id);
        Assert.Equal(1f, trace.Attention![0]![0]![0, 0]);
        Assert.Null(trace.LogitLens![0]![0].NextProbability);
    }

    [Fact]
    public void A_text_longer_than_the_context_is_refused_with_both_numbers()
    {
        using Gpt2Model model = BuiltInModel.Open();
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => new TextTracer(model, string.Concat(Enumerable.Repeat(" king", 257)), Everything));
        Assert.Equal(Gpt2Error.ContextExceeded, fault.Error);
        Assert.Contains("257 tokens", fault.Message, StringComparison.Ordinal);
        Assert.Contains("256 positions", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_the_model_does_not_have_is_named()
    {
        using Gpt2Model model = BuiltInModel.Open();
        AssertRefused(model, Everything with { Layers = [6] }, "no layer 6 in 3M, which has 6 layers");
        AssertRefused(model, Everything with { Heads = [-1] }, "no head -1 in 3M");
        AssertRefused(model, Everything with { Top = 0 }, "cannot keep 0 tokens");
        AssertRefused(model, Everything with { Activations = ["h0/attention"] }, "no activation named 'h0/attention'");
    }

    [Fact]
    public void The_memory_is_told_beforehand()
    {
        var h = new Gpt2HyperParameters(NVocab: 50257, NCtx: 1024, NEmbd: 768, NHead: 12, NLayer: 12);
        Assert.Equal(1024L * 1024 * 144 * 4, new TraceOptions { Attention = true }.MemoryNeeded(h, 1024));
        Assert.Equal(1024L * 1024 * 2 * 4, new TraceOptions { Attention = true, Layers = [3], Heads = [1, 5, 5] }.MemoryNeeded(h, 1024));
        Assert.Equal(100L * 3072 * 4, new TraceOptions { Activations = ["h0/mlp/gelu"] }.MemoryNeeded(h, 100));
    }

    [Fact]
    public void A_cancelled_trace_ends()
    {
        using Gpt2Model model = BuiltInModel.Open();
        using var source = new CancellationTokenSource();
        int layers = 0;
        var tracer = new TextTracer(model, Text, Everything with { Progress = _ => { layers++; source.Cancel(); } });
        Assert.Throws<OperationCanceledException>(() => tracer.Trace(source.Token));
        Assert.Equal(1, layers);
    }

    private static Gpt2Trace Trace(Gpt2Model model, string text, TraceOptions options) =>
        new TextTracer(model, text, options).Trace(TestContext.Current.CancellationToken);

    private static int[] Ids(Gpt2Trace trace) => [.. trace.Tokens.Select(token => token.Id)];

    private static int[] Kept<T>(IReadOnlyList<T?> items)
        where T : class => [.. Enumerable.Range(0, items.Count).Where(i => items[i] is not null)];

    private static float[] Flat(TextTracer tracer)
    {
        Gpt2Trace trace = tracer.Trace(TestContext.Current.CancellationToken);
        IEnumerable<float> attention = trace.Attention!.SelectMany(heads => heads!).SelectMany(pattern => pattern!.Cast<float>());
        return [.. attention, .. trace.LogitLens!.SelectMany(layer => layer!).SelectMany(prediction => prediction.Top).Select(token => token.Logit)];
    }

    private static void AssertRefused(Gpt2Model model, TraceOptions options, string because)
    {
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => new TextTracer(model, Text, options));
        Assert.Equal(Gpt2Error.InvalidArgument, fault.Error);
        Assert.Contains(because, fault.Message, StringComparison.Ordinal);
    }

    private static void AssertPrediction(double[] logits, LensPrediction prediction, int[] ids) // [n_vocab]
    {
        double greatest = logits.Max(), sum = logits.Sum(x => Math.Exp(x - greatest));
        double[] p = [.. logits.Select(x => Math.Exp(x - greatest) / sum)];
        Assert.Equal(3, prediction.Top.Count);
        double least = logits.OrderDescending().ElementAt(2);
        foreach (LensToken token in prediction.Top)
        {
            Assert.Equal(logits[token.Id], token.Logit, 5e-4);
            Assert.Equal(p[token.Id], token.Probability, 1e-4);
            Assert.True(logits[token.Id] >= least - 1e-3, $"token {token.Id} is not of the likeliest three");
        }

        Assert.Equal(prediction.Top.OrderByDescending(token => token.Logit), prediction.Top);
        Assert.Equal(p.Sum(x => x > 0 ? -x * Math.Log2(x) : 0), prediction.Entropy, 1e-3);
        if (prediction.Position + 1 == ids.Length) return;
        int next = ids[prediction.Position + 1];
        Assert.Equal(p[next], prediction.NextProbability!.Value, 1e-4);
        Assert.InRange(prediction.NextRank!.Value, 1 + logits.Count(x => x > logits[next] + 1e-3), 1 + logits.Count(x => x > logits[next] - 1e-3));
    }

    private static void AssertNorms(double[][] residual, IReadOnlyList<double> norms)
    {
        for (int t = 0; t < residual.Length; t++) Assert.Equal(1, norms[t] / Math.Sqrt(residual[t].Sum(x => x * x)), 1e-5);
    }

    // Rows may be shorter than the matrix is wide: the rest is 0 then.
    private static void AssertClose(double[][] expected, float[,] actual, double tolerance, string name)
    {
        Assert.Equal(expected.Length, actual.GetLength(0));
        double scale = Math.Max(1, expected.Max(row => row.Max(Math.Abs)));
        for (int t = 0; t < expected.Length; t++)
        {
            for (int i = 0; i < actual.GetLength(1); i++)
            {
                double value = i < expected[t].Length ? expected[t][i] : 0;
                Assert.True(Math.Abs(value - actual[t, i]) <= tolerance * scale, $"{name}[{t}, {i}]: {value} and {actual[t, i]}");
            }
        }
    }
}

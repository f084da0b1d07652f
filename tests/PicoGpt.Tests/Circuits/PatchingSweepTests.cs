using PicoGpt.Architecture;
using PicoGpt.Circuits;
using PicoGpt.Inference;
using PicoGpt.Intervening;
using PicoGpt.Pictures;
using PicoGpt.Tracing;
using Xunit;

namespace PicoGpt.Tests.Circuits;

public sealed class PatchingSweepTests
{
    private const string Clean = "Once upon a time there was a king who had a daughter, and";
    private const string Corrupted = "Once upon a time there was a queen who had a daughter, and";

    public static TheoryData<PatchingKind, string, Gpt2Precision> Sweeps => new()
    {
        { PatchingKind.Position, "resid_pre", Gpt2Precision.Float32 },
        { PatchingKind.Position, "attn", Gpt2Precision.Float32 },
        { PatchingKind.Position, "mlp", Gpt2Precision.Int8 },
        { PatchingKind.Head, "resid_pre", Gpt2Precision.Float32 },
        { PatchingKind.Part, "resid_pre", Gpt2Precision.Float16 },
        { PatchingKind.HeadPosition, "resid_pre", Gpt2Precision.Float32 },
    };

    [Theory]
    [MemberData(nameof(Sweeps))]
    public void Every_number_is_that_of_a_run_by_itself_to_the_last_bit(PatchingKind kind, string site, Gpt2Precision precision)
    {
        using Gpt2Model model = BuiltInModel.Open();
        Gpt2Model view = model.WithPrecision(precision);
        Gpt2HyperParameters h = model.HyperParameters;
        var options = new PatchingOptions { Answer = " he", Against = " she", Kind = kind, Site = site, Threads = 2 };
        Gpt2Grid grid = new PatchingSweep(view, Clean, Corrupted, options).Run(TestContext.Current.CancellationToken);

        Gpt2Trace from = Trace(view, Clean, []);
        double clean = Score(from), corrupted = Score(Trace(view, Corrupted, []));
        Assert.Equal([clean, corrupted], grid.Others.Select(other => other.Value));
        Assert.NotEqual(clean, corrupted);
        foreach (Gpt2GridCell cell in grid.Cells.Where((_, i) => i % (kind == PatchingKind.HeadPosition ? 7 : 1) == 0))
        {
            Gpt2Intervention patch = kind switch
            {
                PatchingKind.Head => new(InterventionKind.Patch, $"h{cell.Row}/attn/z") { Heads = [cell.Column], From = [from] },
                PatchingKind.HeadPosition => new(InterventionKind.Patch, $"h{cell.Row / h.NHead}/attn/z")
                {
                    Heads = [cell.Row % h.NHead],
                    Positions = [cell.Column],
                    From = [from],
                },
                PatchingKind.Part => new(InterventionKind.Patch, $"h{cell.Row}/{cell.ColumnLabel}") { From = [from] },
                _ => new(InterventionKind.Patch, $"h{cell.Row}/{site}") { Positions = [cell.Column], From = [from] },
            };
            double score = Score(Trace(view, Corrupted, [patch]));
            Assert.Equal((score - corrupted) / (clean - corrupted), cell.Value);
        }
    }

    [Fact]
    public void The_first_residual_stream_brings_all_back_where_the_texts_differ_and_nothing_elsewhere()
    {
        using Gpt2Model model = BuiltInModel.Open();
        Gpt2Grid grid = new PatchingSweep(model, Clean, Corrupted, new PatchingOptions { Answer = " he" }).Run(TestContext.Current.CancellationToken);
        int differing = grid.ColumnLabels.Index().Single(label => label.Item.Contains("queen", StringComparison.Ordinal)).Index;
        for (int t = 0; t < grid.ColumnLabels.Count; t++) Assert.Equal(t == differing ? 1 : 0, grid.Values[0][t], 1e-12);
    }

    [Fact]
    public void A_text_of_more_tokens_than_a_batch_has_rows_is_swept_too()
    {
        using var folder = new TemporaryFolder();
        var shape = new Gpt2HyperParameters(NVocab: 300, NCtx: 300, NEmbd: 12, NHead: 2, NLayer: 2);
        RandomModel.Write(folder.Path, shape, seed: 9);
        using Gpt2Model model = Gpt2Model.Open(folder.Path);
        string clean = new('a', 290), corrupted = new string('a', 4) + "b" + new string('a', 285);
        var options = new PatchingOptions { Answer = "c", Against = "d", Kind = PatchingKind.Head };
        var sweep = new PatchingSweep(model, clean, corrupted, options);
        Gpt2Grid grid = sweep.Run(TestContext.Current.CancellationToken);
        Assert.Equal(4, sweep.Runs);
        Gpt2Trace from = Trace(model, clean, []);
        float[] logits = Logits(Trace(model, corrupted, [new(InterventionKind.Patch, "h1/attn/z") { Heads = [1], From = [from] }]));
        double score = (double)logits[model.Encoder.Encode("c")[0]] - logits[model.Encoder.Encode("d")[0]];
        double low = grid.Others[1].Value, high = grid.Others[0].Value;
        Assert.Equal((score - low) / (high - low), grid.Values[1][1]);
    }

    [Theory]
    [InlineData("Once upon a time", Corrupted, " he", null, "; give texts of as many tokens")]
    [InlineData(Clean, Clean, " he", " she", "there is nothing to bring back")]
    [InlineData(Clean, Corrupted, " he said", null, "' he said' is not one token of 3M but 2: ' he', ' said';")]
    [InlineData(Clean, Corrupted, "", null, "An empty text is not a token")]
    public void What_cannot_be_swept_is_told_in_a_sentence(string clean, string corrupted, string answer, string? against, string message)
    {
        using Gpt2Model model = BuiltInModel.Open();
        var options = new PatchingOptions { Answer = answer, Against = against };
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => new PatchingSweep(model, clean, corrupted, options).Run(TestContext.Current.CancellationToken));
        Assert.Contains(message, fault.Message, StringComparison.Ordinal);
    }

    private static double Score(Gpt2Trace trace)
    {
        float[] logits = Logits(trace);
        using Gpt2Model model = BuiltInModel.Open();
        return (double)logits[model.Encoder.Encode(" he")[0]] - logits[model.Encoder.Encode(" she")[0]];
    }

    private static float[] Logits(Gpt2Trace trace)
    {
        float[,] all = trace.Activations["logits"];
        return [.. Enumerable.Range(0, all.GetLength(1)).Select(v => all[all.GetLength(0) - 1, v])];
    }

    private static Gpt2Trace Trace(Gpt2Model model, string text, IReadOnlyList<Gpt2Intervention> changes) =>
        new TextTracer(model, text, new TraceOptions { Activations = Gpt2Activations.Names(model.HyperParameters), Interventions = changes })
            .Trace(TestContext.Current.CancellationToken);
}

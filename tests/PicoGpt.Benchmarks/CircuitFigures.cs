using System.Diagnostics;
using PicoGpt.Circuits;
using PicoGpt.Inference;
using PicoGpt.Intervening;
using PicoGpt.Numerics;
using PicoGpt.Tracing;

namespace PicoGpt.Benchmarks;

/// <summary>
/// What interventions cost on the built-in model, where little arithmetic hides them: nothing where there are none, and in a sweep a
/// fraction of runs by themselves.
/// </summary>
internal static class CircuitFigures
{
    private const int Tokens = 20, Separate = 24, Passes = 40;

    private const string Clean = "Once upon a time there was a king who had a daughter, and she was as kind as";
    private static readonly string Corrupted = Clean.Replace("king", "queen", StringComparison.Ordinal);

    public static void Measure(int threads, Dictionary<string, double> figures)
    {
        using Gpt2Model model = Gpt2Model.Open(Path.Combine(AppContext.BaseDirectory, "models", "3M"));
        MeasureHooks(model, threads, figures);
        MeasureSweep(model, threads, figures);
    }

    // Steps of one token, a hook that wants nothing in turn with none: every place in the pass is asked for, and none is visited.
    private static void MeasureHooks(Gpt2Model model, int threads, Dictionary<string, double> figures)
    {
        List<double> plain = [], asked = [];
        using var context = new Gpt2Context(model, threads);
        int[] prompt = [.. model.Encoder.Encode(Clean)];
        context.Forward(prompt);
        for (int i = 0; i < Passes; i++)
        {
            context.Hook = null;
            plain.Add(Step(context, prompt));
            context.Hook = new Idle();
            asked.Add(Step(context, prompt));
        }

        figures["3M, a step without hooks, µs"] = GuessingFigures.Median(plain) * 1e6;
        figures["3M, with one that wants nothing, %"] = 100 * GuessingFigures.Median(asked) / GuessingFigures.Median(plain);
    }

    private static double Step(Gpt2Context context, int[] prompt)
    {
        const int Steps = 20;
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < Steps; i++) context.Forward([prompt[i % prompt.Length]]);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds / Steps;
        context.Truncate(prompt.Length);
        return seconds;
    }

    // Every head at every position, and some of the same runs by themselves.
    private static void MeasureSweep(Gpt2Model model, int threads, Dictionary<string, double> figures)
    {
        var options = new PatchingOptions { Answer = " he", Against = " she", Kind = PatchingKind.HeadPosition, Threads = threads };
        var sweep = new PatchingSweep(model, Clean, Corrupted, options);
        int n = model.Encoder.Encode(Clean).Length;
        if (n != Tokens) throw new InvalidOperationException($"The text of the sweep has {n} tokens, and is to have {Tokens}.");
        long start = Stopwatch.GetTimestamp();
        sweep.Run();
        double together = Stopwatch.GetElapsedTime(start).TotalSeconds;

        string[] sites = [.. Enumerable.Range(0, model.HyperParameters.NLayer).Select(layer => $"h{layer}/attn/z")];
        Gpt2Trace from = new TextTracer(model, Clean, new Tracing.TraceOptions { Activations = sites, Threads = threads }).Trace();
        int[] ids = model.Encoder.Encode(Corrupted);
        using var context = new Gpt2Context(model, threads);
        context.Forward(ids); // warms up
        start = Stopwatch.GetTimestamp();
        for (int i = 0; i < Separate; i++)
        {
            Gpt2Intervention patch = new(InterventionKind.Patch, sites[i % sites.Length])
            {
                Heads = [i % model.HyperParameters.NHead],
                Positions = [i * Tokens / Separate],
                From = [from],
            };
            context.Truncate(0);
            context.Hook = HookChain.Of(model, [patch], n);
            context.Forward(ids);
        }

        double separate = Stopwatch.GetElapsedTime(start).TotalSeconds / Separate;
        figures[$"3M, sweep of {sweep.Runs} runs, {Tokens} tokens, s"] = together;
        figures["3M, a run by itself, times one of it"] = separate / (together / sweep.Runs);
    }

    private sealed class Idle : IForwardHook
    {
        public bool Wants(ActivationSite site, int layer) => false;

        public void Visit(ActivationSite site, int layer, Matrix values, ReadOnlySpan<RowPlace> rows)
        {
        }

        public void VisitPattern(int layer, int head, RowPlace row, Span<float> weights)
        {
        }
    }
}

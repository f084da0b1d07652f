using System.Diagnostics;
using PicoGpt.Inference;

namespace PicoGpt.Benchmarks;

/// <summary>
/// What guessing gives: the same text with and without it in turn, which must be the same tokens, and the passes that it consists of.
/// </summary>
internal static class GuessingFigures
{
    private static readonly (string Name, float Temperature)[] Kinds = [("greedy", 0), ("sampled", 1)];

    public static void Measure(Gpt2Model model, int threads, int[] prompt, Dictionary<string, double> figures)
    {
        MeasurePasses(model, threads, prompt, figures);
        foreach ((string name, float temperature) in Kinds)
        {
            foreach (int count in (int[])[40, 200])
            {
                var options = new GenerationOptions
                {
                    MaxTokens = count,
                    IgnoreEndOfText = true,
                    Threads = threads,
                    Temperature = temperature,
                    Seed = 1,
                    Speculation = false,
                };
                Gpt2Completion plain = Run(model, prompt, options);
                Gpt2Completion guessed = Run(model, prompt, options with { Speculation = true });
                if (!plain.Ids.SequenceEqual(guessed.Ids)) throw new InvalidOperationException($"Guessing changed the {name} text of {count} tokens.");
                string row = $"{name} {prompt.Length}+{count}";
                figures[$"{row} plain, tokens/s"] = plain.TokensPerSecond;
                figures[$"{row} guessed, tokens/s"] = guessed.TokensPerSecond;
                figures[$"{row} guessed, times plain"] = guessed.TokensPerSecond / plain.TokensPerSecond;
                figures[$"{row} guesses that are right, %"] = guessed.ShadowDrafted == 0 ? 0 : 100.0 * guessed.ShadowAccepted / guessed.ShadowDrafted;
            }
        }
    }

    internal static Gpt2Completion Run(Gpt2Model model, int[] prompt, GenerationOptions options)
    {
        using var batch = new BatchGenerator(model, options, batchSize: 1);
        batch.Add(prompt);
        IReadOnlyList<Gpt2Completion> done;
        do done = batch.Advance();
        while (done.Count == 0);
        return done[0];
    }

    // A pass over several rows as a multiple of one over one, and a step of the reduced form.
    private static void MeasurePasses(Gpt2Model model, int threads, int[] prompt, Dictionary<string, double> figures)
    {
        double one = Pass(model, threads, prompt, rows: 1);
        figures["a step, ms"] = one * 1e3;
        foreach (int rows in (int[])[2, 4, 8, 16]) figures[$"{rows} rows, times one"] = Pass(model, threads, prompt, rows) / one;
        if (model.Precision == Gpt2Precision.Int8) return;
        figures["a step in Int8, times one"] = Pass(model.WithPrecision(Gpt2Precision.Int8), threads, prompt, rows: 1) / one;
    }

    // With the logits of every row.
    private static double Pass(Gpt2Model model, int threads, int[] prompt, int rows)
    {
        const int Times = 20;
        using var context = new Gpt2Context(model, threads);
        context.Forward(prompt);
        int[] ids = [.. Enumerable.Repeat(prompt[0], rows)];
        float[] logits = new float[rows * model.HyperParameters.NVocab];
        List<double> seconds = [];
        for (int i = 0; i < Times; i++)
        {
            long start = Stopwatch.GetTimestamp();
            context.Forward(ids, logits);
            seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
            context.Truncate(prompt.Length);
        }

        seconds.Sort();
        return seconds[Times / 2];
    }
}

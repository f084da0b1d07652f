using System.Diagnostics;
using System.Numerics.Tensors;
using PicoGpt.Inference;
using PicoGpt.Numerics;

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
        MeasureSampling(model, threads, prompt, figures);
        foreach ((string name, float temperature) in Kinds)
        {
            foreach (int count in (int[])[40, 200])
            {
                GenerationOptions options = OptionsFor(count, threads) with { Temperature = temperature };
                Gpt2Completion plain = Run(model, prompt, options);
                Gpt2Completion guessed = Run(model, prompt, options with { Speculation = true });
                RequireSame(plain, guessed, $"{name} text of {count} tokens");
                string row = $"{name} {prompt.Length}+{count}";
                figures[$"{row} plain, tokens/s"] = plain.TokensPerSecond;
                figures[$"{row} guessed, tokens/s"] = guessed.TokensPerSecond;
                figures[$"{row} guessed, times plain"] = guessed.TokensPerSecond / plain.TokensPerSecond;
                figures[$"{row} guesses that are right, %"] = ShareOfRight(guessed);
            }
        }

        foreach (int texts in (int[])[2, 4]) MeasureTogether(model, threads, prompt, texts, figures);
        if (model.Precision is Gpt2Precision.Int8 or Gpt2Precision.Int4) return;
        MeasureWrongGuesses(model, threads, prompt, figures);
        MeasureTale(model.Precision, threads, figures);
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

    private static GenerationOptions OptionsFor(int count, int threads) =>
        new() { MaxTokens = count, IgnoreEndOfText = true, Threads = threads, Seed = 1, Speculation = false };

    private static double ShareOfRight(Gpt2Completion completion) =>
        completion.ShadowDrafted == 0 ? 0 : 100.0 * completion.ShadowAccepted / completion.ShadowDrafted;

    private static void RequireSame(Gpt2Completion plain, Gpt2Completion guessed, string text)
    {
        if (!plain.Ids.SequenceEqual(guessed.Ids)) throw new InvalidOperationException($"Guessing changed the {text}.");
    }

    // Sampled texts, which do not repeat themselves, reading of the prompts included.
    private static void MeasureTogether(Gpt2Model model, int threads, int[] prompt, int texts, Dictionary<string, double> figures)
    {
        const int Count = 100;
        GenerationOptions options = OptionsFor(Count, threads) with { Temperature = 1 };
        (double plainSeconds, List<Gpt2Completion> plain) = Together(options);
        (double seconds, List<Gpt2Completion> guessed) = Together(options with { Speculation = true });
        for (int i = 0; i < texts; i++) RequireSame(plain[i], guessed[i], $"{i}th of {texts} texts");
        figures[$"{texts} sampled {prompt.Length}+{Count} plain, tokens/s"] = texts * Count / plainSeconds;
        figures[$"{texts} sampled {prompt.Length}+{Count} guessed, times plain"] = plainSeconds / seconds;

        (double Seconds, List<Gpt2Completion> Completions) Together(GenerationOptions options)
        {
            using var batch = new BatchGenerator(model, options, texts);
            for (int i = 0; i < texts; i++) batch.Add([.. prompt.Select(id => (id + (31 * i)) % model.HyperParameters.NVocab)]);
            long start = Stopwatch.GetTimestamp();
            List<Gpt2Completion> done = [];
            while (!batch.IsEmpty) done.AddRange(batch.Advance());
            return (Stopwatch.GetElapsedTime(start).TotalSeconds, done);
        }
    }

    // What guessing costs where it never pays: by a reduced form that says the least likely.
    private static void MeasureWrongGuesses(Gpt2Model model, int threads, int[] prompt, Dictionary<string, double> figures)
    {
        foreach (int count in (int[])[40, 200])
        {
            Gpt2Completion plain = Run(isGuessed: false), guessed = Run(isGuessed: true);
            RequireSame(plain, guessed, "text by wrong guesses");
            if (guessed.ShadowDrafted == 0 || guessed.ShadowAccepted > 0) throw new InvalidOperationException("The guesses were not wrong, or there were none.");
            figures[$"{prompt.Length}+{count} guessed wrong, times plain"] = guessed.TokensPerSecond / plain.TokensPerSecond;

            Gpt2Completion Run(bool isGuessed)
            {
                using var workspace = new Workspace(model.HyperParameters, threads, Kernels.Best);
                using var driver = new TextDriver<GeneratedText>(new Gpt2Forward(model, workspace), batchSize: 1, Choose);
                if (isGuessed)
                    driver.Shadow = new Shadow(new Gpt2Forward(model.WithPrecision(Gpt2Precision.Int8), workspace) { Hook = new Negation() }, driver.Cost, usualCost: 0.4);
                GeneratedText text = GeneratedText.Of(model, Prompt.Of(model, prompt), OptionsFor(count, threads) with { Temperature = 1, Speculation = isGuessed })[0];
                driver.Add(text);
                while (driver.Advance(default).Count == 0) driver.Expect(text.TokensToCome, text.TokensToCome, resident: null);
                return text.Completions[0];
            }
        }

        static void Choose(ReadOnlySpan<GeneratedText> texts, Matrix logits)
        {
            for (int i = 0; i < texts.Length; i++)
            {
                if (texts[i].WantsLogits) texts[i].Take(logits.Row(i));
            }
        }
    }

    // How often the reduced form of a model that has learned something is right; it is too small to gain by it.
    private static void MeasureTale(Gpt2Precision precision, int threads, Dictionary<string, double> figures)
    {
        using var tales = Gpt2Model.Open(Path.Combine(AppContext.BaseDirectory, "models", "3M"), precision: precision);
        foreach ((string name, float temperature) in Kinds)
        {
            GenerationOptions options = OptionsFor(400, threads) with { Temperature = temperature, Overflow = ContextOverflow.Slide };
            Gpt2Completion plain = TextGeneration.Run(tales, "Once upon a time", options);
            Gpt2Completion guessed = TextGeneration.Run(tales, "Once upon a time", options with { Speculation = true, AlwaysShadow = true });
            RequireSame(plain, guessed, $"{name} tale");
            figures[$"3M, {name} tale, guesses that are right, %"] = ShareOfRight(guessed);
        }
    }

    // What choosing a token takes beyond what choosing the likeliest does, as a share of a step.
    private static void MeasureSampling(Gpt2Model model, int threads, int[] prompt, Dictionary<string, double> figures)
    {
        const int Times = 40;
        (string Name, GenerationOptions Options)[] kinds =
            [("greedy", new()), ("all", new() { Temperature = 1, Seed = 1 }), ("40", new() { Temperature = 1, TopK = 40, Seed = 1 })];
        Sampler[] samplers = [.. kinds.Select(kind => new Sampler(kind.Options, model.HyperParameters.NVocab))];
        List<double>[] seconds = [.. kinds.Select(_ => new List<double>())];
        List<double> steps = [];
        using var context = new Gpt2Context(model, threads);
        ReadOnlySpan<float> logits = context.Forward(prompt);
        for (int i = 0; i < Times; i++)
        {
            int id = 0;
            for (int kind = 0; kind < kinds.Length; kind++)
            {
                long begun = Stopwatch.GetTimestamp();
                id = samplers[kind].Next(logits);
                seconds[kind].Add(Stopwatch.GetElapsedTime(begun).TotalSeconds);
            }

            long start = Stopwatch.GetTimestamp();
            logits = context.Forward([id]);
            steps.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        double greedy = Median(steps) + Median(seconds[0]);
        for (int kind = 1; kind < kinds.Length; kind++)
            figures[$"sampling of {kinds[kind].Name}, % of a greedy step"] = 100 * (Median(seconds[kind]) - Median(seconds[0])) / greedy;
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
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

        return Median(seconds);
    }

    /// <summary>Makes the likeliest the least likely, by more than a draw could make up for.</summary>
    private sealed class Negation : IForwardHook
    {
        public bool Wants(ActivationSite site, int layer) => site == ActivationSite.Logits;

        public void Visit(ActivationSite site, int layer, Matrix values, ReadOnlySpan<RowPlace> places)
        {
            for (int row = 0; row < values.Rows; row++) TensorPrimitives.Multiply(values.Row(row), -100, values.Row(row));
        }

        public void VisitPattern(int layer, int head, RowPlace row, Span<float> weights)
        {
        }
    }
}

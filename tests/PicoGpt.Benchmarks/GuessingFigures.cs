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
    // A step that takes so many times as long as is usual was held up by the system. Where all guesses are wrong none takes so long by itself.
    private const double HeldUp = 5;

    // For a moment the threads of one text are in the other's way.
    private const int Turn = 10;

    private static readonly (string Name, float Temperature)[] Kinds = [("greedy", 0), ("sampled", 1)];

    public static void Measure(Gpt2Model model, int threads, int[] prompt, Dictionary<string, double> figures)
    {
        MeasurePasses(model, threads, prompt, figures);
        MeasureSampling(model, threads, prompt, figures);
        foreach ((string name, float temperature) in Kinds)
        {
            foreach (int count in (int[])[40, 200])
            {
                Gpt2Completion guessed = Duel(model, $"{name} {prompt.Length}+{count}", [prompt], OptionsFor(count, threads) with { Temperature = temperature }, figures)[0];
                figures[$"{name} {prompt.Length}+{count} guesses that are right, %"] = ShareOfRight(guessed);
            }
        }

        foreach (int texts in (int[])[2, 4])
        {
            int[][] prompts = [.. Enumerable.Range(0, texts).Select(i => prompt.Select(id => (id + (31 * i)) % model.HyperParameters.NVocab).ToArray())];
            Duel(model, $"{texts} sampled {prompt.Length}+100", prompts, OptionsFor(100, threads) with { Temperature = 1 }, figures); // which do not repeat themselves
        }

        if (model.Precision is not (Gpt2Precision.Int8 or Gpt2Precision.Int4)) MeasureTale(model.Precision, threads, figures);
    }

    /// <summary>What guessing costs where every guess is wrong, or where nothing can be guessed.</summary>
    public static void MeasureLoss(Gpt2Model model, int threads, int[] prompt, Dictionary<string, double> figures)
    {
        foreach (int count in (int[])[40, 200])
        {
            MeasureWrongLookups(model, threads, prompt, count, figures);
            if (model.Precision is Gpt2Precision.Int8 or Gpt2Precision.Int4)
                MeasureWithoutGuesses(model, threads, prompt, count, figures);
            else
                MeasureWrongGuesses(model, threads, prompt, count, figures);
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

    private static GenerationOptions OptionsFor(int count, int threads) =>
        new() { MaxTokens = count, IgnoreEndOfText = true, Threads = threads, Seed = 1, Speculation = false };

    private static double ShareOfRight(Gpt2Completion completion) =>
        completion.ShadowDrafted == 0 ? 0 : 100.0 * completion.ShadowAccepted / completion.ShadowDrafted;

    private static void RequireSame(Gpt2Completion plain, Gpt2Completion guessed, string text)
    {
        if (!plain.Ids.SequenceEqual(guessed.Ids)) throw new InvalidOperationException($"Guessing changed the {text}.");
    }

    // The same texts with guesses and without, some steps of the one after some of the other, so that a slow moment of the machine is both's.
    // The opening of the reduced form counts, the reading of the prompts does not.
    private static List<Gpt2Completion> Duel(Gpt2Model model, string name, int[][] prompts, GenerationOptions options, Dictionary<string, double> figures, double heldUp = double.PositiveInfinity)
    {
        using var plain = new Side(model, options, prompts);
        using var guessed = new Side(model, options with { Speculation = true }, prompts);
        return Duel(name, plain, guessed, figures, heldUp);
    }

    private static List<Gpt2Completion> Duel(string name, Side plain, Side guessed, Dictionary<string, double> figures, double heldUp)
    {
        while (!plain.IsDone || !guessed.IsDone)
        {
            bool isPlain = guessed.IsDone || (!plain.IsDone && plain.Tokens <= guessed.Tokens);
            Side side = isPlain ? plain : guessed;
            long end = side.Tokens + Turn;
            while (!side.IsDone && side.Tokens < end) side.Advance();
        }

        for (int i = 0; i < plain.Done.Count; i++) RequireSame(plain.Done[i], guessed.Done[i], $"{i}th text of {name}");
        double most = heldUp * Median(plain.Seconds);
        figures[$"{name} plain, tokens/s"] = plain.TokensPerSecond(most);
        figures[$"{name} guessed, times plain"] = guessed.TokensPerSecond(most) / plain.TokensPerSecond(most);
        return guessed.Done;
    }

    // By a reduced form that says the least likely.
    private static void MeasureWrongGuesses(Gpt2Model model, int threads, int[] prompt, int count, Dictionary<string, double> figures)
    {
        GenerationOptions options = OptionsFor(count, threads) with { Temperature = 1 };
        using var plain = new Side(model, options, [prompt]);
        using var guessed = new Side(model, options with { Speculation = true, ShadowHook = new Negation() }, [prompt]);
        Gpt2Completion text = Duel($"{prompt.Length}+{count} by a wrong reduced form", plain, guessed, figures, HeldUp)[0];
        if (text.ShadowDrafted == 0 || text.ShadowAccepted > 0) throw new InvalidOperationException("The guesses were not wrong, or there were none.");
    }

    // By what stood already, as if it came again wherever the text is.
    private static void MeasureWrongLookups(Gpt2Model model, int threads, int[] prompt, int count, Dictionary<string, double> figures)
    {
        GenerationOptions options = OptionsFor(count, threads) with { Temperature = 1 };
        using var plain = new Side(model, options, [prompt]);
        using var guessed = new Side(model, options, new StepwiseText(model, Prompt.Of(model, prompt), options, new WrongLookup()));
        Gpt2Completion text = Duel($"{prompt.Length}+{count} by wrong look-ups", plain, guessed, figures, HeldUp)[0];
        if (text.LookupAccepted > 0) throw new InvalidOperationException("The look-ups were not wrong.");
    }

    // By what stood already of a text that does not repeat itself.
    private static void MeasureWithoutGuesses(Gpt2Model model, int threads, int[] prompt, int count, Dictionary<string, double> figures)
    {
        GenerationOptions options = OptionsFor(count, threads) with { Temperature = 1 };
        Duel(model, $"{prompt.Length}+{count} with nothing to guess", [prompt], options, figures, HeldUp);
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

    internal static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    // A pass over several rows as a multiple of one over one, and a step of the reduced form; in turn, since memory may be twice as fast a second later.
    private static void MeasurePasses(Gpt2Model model, int threads, int[] prompt, Dictionary<string, double> figures)
    {
        const int Times = 20;
        int[] rows = [1, 2, 4, 8, 16];
        using Gpt2Model? reduced = model.Precision == Gpt2Precision.Int8 ? null : model.WithPrecision(Gpt2Precision.Int8);
        using Gpt2Context exact = Read(model);
        using Gpt2Context? shadow = reduced is null ? null : Read(reduced);
        Dictionary<int, List<double>> times = rows.ToDictionary(count => count, _ => new List<double>());
        List<double> ones = [];
        for (int i = 0; i < Times; i++)
        {
            foreach (int count in rows) times[count].Add(Pass(model, exact, prompt, count));
            if (shadow is not null) ones.Add(Pass(model, shadow, prompt, rows: 1));
        }

        double one = Median(times[1]);
        figures["a step, ms"] = one * 1e3;
        foreach (int count in rows[1..]) figures[$"{count} rows, times one"] = Median(times[count]) / one;
        if (shadow is not null) figures["a step in Int8, times one"] = Median(ones) / one;

        Gpt2Context Read(Gpt2Model read)
        {
            var context = new Gpt2Context(read, threads);
            context.Forward(prompt);
            return context;
        }
    }

    // With the logits of every row, in seconds.
    private static double Pass(Gpt2Model model, Gpt2Context context, int[] prompt, int rows)
    {
        int[] ids = [.. Enumerable.Repeat(prompt[0], rows)];
        float[] logits = new float[rows * model.HyperParameters.NVocab];
        long start = Stopwatch.GetTimestamp();
        context.Forward(ids, logits);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        context.Truncate(prompt.Length);
        return seconds;
    }

    /// <summary>Texts that are made step by step, and the time that it took from their first tokens on.</summary>
    private sealed class Side : IDisposable
    {
        private readonly BatchGenerator _batch;
        private readonly List<Gpt2Completion> _done = [];
        private long _counted;

        public Side(Gpt2Model model, GenerationOptions options, int[][] prompts)
        {
            _batch = new BatchGenerator(model, options, prompts.Length);
            foreach (int[] prompt in prompts) _batch.Add(prompt);
        }

        public Side(Gpt2Model model, GenerationOptions options, GeneratedText text)
        {
            _batch = new BatchGenerator(model, options, batchSize: 1);
            _batch.Add(text);
        }

        public List<Gpt2Completion> Done => _done;

        public bool IsDone => _batch.IsEmpty;

        public long Tokens => _batch.NewTokens;

        public List<double> Seconds { get; } = [];

        public double TokensPerSecond(double mostSeconds) => _counted / Seconds.Sum(seconds => Math.Min(seconds, mostSeconds));

        public void Advance()
        {
            long before = Tokens, start = Stopwatch.GetTimestamp();
            _done.AddRange(_batch.Advance());
            if (before == 0) return;
            Seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
            _counted += Tokens - before;
        }

        public void Dispose() => _batch.Dispose();
    }

    /// <summary>Goes by its own experience as any look-up, but in a loop that is not the text's.</summary>
    private sealed class WrongLookup : IDraft
    {
        private static readonly int[] Loop = [.. Enumerable.Range(0, 40).Select(i => i % 2)];

        private readonly PromptLookup _lookup = new(); // as in greedy text, where it trusts itself most

        public ReadOnlySpan<int> Guess(ReadOnlySpan<int> text, int max) => _lookup.Guess(Loop, max);

        public int Proven => _lookup.Proven;

        public double Rightness(int index) => _lookup.Rightness(index);

        public void Learn(ReadOnlySpan<int> came) => _lookup.Learn(came);
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

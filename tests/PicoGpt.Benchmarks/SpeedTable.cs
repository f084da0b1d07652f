using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using PicoGpt.Architecture;
using PicoGpt.Inference;
using PicoGpt.Numerics;

namespace PicoGpt.Benchmarks;

/// <summary>
/// Speeds of a whole model beside the machine's limits, measured in turn in every round, as medians. A decoded token reads
/// every weight but wpe once, hence its share of the read bandwidth; a prompt's floating-point operations are two a
/// multiplication of weights and of attention, hence its share of the peak.
/// </summary>
internal static class SpeedTable
{
    private const int BatchSize = 32;
    private const int PromptLength = 10;

    private static readonly int[] Prefills = [10, 128, 512, 1000];

    public static void Run(TableOptions options, TextWriter output)
    {
        if (!Directory.Exists(options.Model)) RandomModel.Write(options.Model, options.Shape);
        using Gpt2Model model = Open(options, output);
        var samples = new Dictionary<string, List<double>>();
        for (int round = 0; round <= options.Rounds; round++)
        {
            Dictionary<string, double> figures = Measure(model, options, round);
            if (round == 0) continue; // warms up
            foreach ((string name, double value) in figures)
            {
                if (!samples.TryGetValue(name, out List<double>? values)) samples.Add(name, values = []);
                values.Add(value);
            }
        }

        output.WriteLine(FormattableString.Invariant($"{options.Model}, {options.Precision}, {options.Threads} threads, kernels {Kernels.Best.Name}, medians of {options.Rounds} rounds (least to greatest)"));
        foreach ((string name, List<double> values) in samples)
        {
            values.Sort();
            output.WriteLine(FormattableString.Invariant($"{name,-46}{values[values.Count / 2],10:F2}   ({values[0]:F2} to {values[^1]:F2})"));
        }

        using var process = Process.GetCurrentProcess();
        output.WriteLine(FormattableString.Invariant($"{"peak working set, MiB",-46}{process.PeakWorkingSet64 >> 20,10}"));
    }

    private static Gpt2Model Open(TableOptions options, TextWriter output)
    {
        long start = Stopwatch.GetTimestamp();
        var model = Gpt2Model.Open(options.Model, precision: options.Precision);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"opened in {Stopwatch.GetElapsedTime(start).TotalMilliseconds:F0} ms"));
        start = Stopwatch.GetTimestamp();
        model.Prepare();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"converted in {Stopwatch.GetElapsedTime(start).TotalMilliseconds:F0} ms"));
        return model;
    }

    private static Dictionary<string, double> Measure(Gpt2Model model, TableOptions options, int round)
    {
        Dictionary<string, double> figures = [];
        int[] prompt = Ids(model, PromptLength, first: round * PromptLength); // what is guessed depends on the text: every round has its own
        double peak = MachineLimits.PeakFlops(options.Threads);
        figures["read bandwidth, GB/s"] = MachineLimits.ReadBandwidth(options.Model, options.Threads) / 1e9;
        figures["FMA peak, GFLOP/s"] = peak / 1e9;
        foreach (string name in options.Figures)
        {
            switch (name)
            {
                case "open": MeasureOpening(options, figures); break;
                case "start": StartFigures.Measure(options, figures); break;
                case "decode": DecodingFigures.Measure(model, options, figures); break;
                case "sample": MeasureSampling(model, options, figures); break;
                case "prefill": MeasurePrefill(model, options, peak, figures); break;
                case "kernels": KernelRates.Measure(options.Precision, options.Threads, figures); break;
                case "loop": MeasureLoop(model, options, figures); break;
                case "resident": ResidentFigures.Measure(model, options, prompt, figures); break;
                case "guess": GuessingFigures.Measure(model, options.Threads, prompt, figures); break;
                case "loss": GuessingFigures.MeasureLoss(model, options.Threads, prompt, figures); break;
                case "batch": MeasureBatch(model, options, figures); break;
                case "circuits": CircuitFigures.Measure(options.Threads, figures); break;
                case "train": TrainingFigures.Measure(model, options.Threads, peak, figures); break;
                default: throw new ArgumentException($"--figures {name} is not one of open, start, decode, sample, prefill, kernels, loop, resident, guess, loss, batch, circuits, train");
            }
        }

        return figures;
    }

    private static void MeasureOpening(TableOptions options, Dictionary<string, double> figures)
    {
        double before = PrivateMemory.MiB;
        long start = Stopwatch.GetTimestamp();
        using Gpt2Model model = Gpt2Model.Open(options.Model, precision: options.Precision);
        figures["open, ms"] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        figures["open, MiB of private memory"] = PrivateMemory.MiB - before;
    }

    private static void MeasureSampling(Gpt2Model model, TableOptions options, Dictionary<string, double> figures)
    {
        foreach (int topK in (int[])[0, 40])
        {
            var sampling = new GenerationOptions { Temperature = 1, TopK = topK, Seed = 1 };
            figures[$"sample 10+40 of {(topK == 0 ? "all" : topK)}, tokens/s"] = Decode(model, options.Threads, sampling, figures);
        }
    }

    private static void MeasurePrefill(Gpt2Model model, TableOptions options, double peak, Dictionary<string, double> figures)
    {
        foreach (int prompt in Prefills)
        {
            double seconds = Prefill(model, options.Threads, prompt, figures);
            figures[$"prefill {prompt}, ms"] = seconds * 1e3;
            figures[$"prefill {prompt}, % of FMA"] = 100 * Flops(model.HyperParameters, prompt) / seconds / peak;
        }
    }

    private static void MeasureLoop(Gpt2Model model, TableOptions options, Dictionary<string, double> figures)
    {
        figures["greedy loop 320+500, tokens/s"] = Loop(model, options.Threads, speculation: false);
        figures["the same speculating, tokens/s"] = Loop(model, options.Threads, speculation: true);
    }

    private static void MeasureBatch(Gpt2Model model, TableOptions options, Dictionary<string, double> figures)
    {
        double alone = Batch(model, options.Threads, prompts: 1), together = Batch(model, options.Threads, BatchSize);
        figures["one prompt 10+100, tokens/s"] = alone;
        figures[$"{BatchSize} prompts 10+100, tokens/s"] = together;
        figures[$"{BatchSize} prompts, times one"] = together / alone;
    }

    // reading of the prompts included
    private static double Batch(Gpt2Model model, int threads, int prompts)
    {
        var generation = new GenerationOptions { MaxTokens = 100, IgnoreEndOfText = true, Threads = threads, Speculation = false };
        using var batch = new BatchGenerator(model, generation, prompts);
        int[] words = Words(model);
        for (int i = 0; i < prompts; i++)
            batch.Add(model.Encoder.Decode(Enumerable.Range(0, 10).Select(k => words[(i + (k * (i + 1))) % words.Length])));
        long start = Stopwatch.GetTimestamp();
        int tokens = 0;
        while (!batch.IsEmpty) tokens += batch.Advance().Sum(completion => completion.Ids.Count);
        return tokens / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    // Tokens that stay as they are when their text is encoded again: a space and letters.
    private static int[] Words(Gpt2Model model) =>
        [.. Enumerable.Range(0, model.Encoder.Count).Where(id => Regex.IsMatch(model.Encoder.Decode([id]), "^ [A-Za-z]+$"))];

    // random weights continue with what is repeated before them
    private static double Loop(Gpt2Model model, int threads, bool speculation)
    {
        string prompt = model.Encoder.Decode(Enumerable.Repeat(Ids(model, 8), 40).SelectMany(ids => ids));
        return TextGeneration.Run(
            model, prompt, new GenerationOptions { MaxTokens = 500, IgnoreEndOfText = true, Threads = threads, Speculation = speculation }).TokensPerSecond;
    }

    private static double Decode(Gpt2Model model, int threads, GenerationOptions sampling, Dictionary<string, double> figures)
    {
        const int Count = 40;
        var sampler = new Sampler(sampling, model.HyperParameters.NVocab);
        using var context = new Gpt2Context(model, threads);
        ReadOnlySpan<float> logits = context.Forward(Ids(model, PromptLength));
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < Count; i++) logits = context.Forward([sampler.Next(logits)]);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        NotePrivateMemory(figures);
        return Count / seconds;
    }

    private static double Prefill(Gpt2Model model, int threads, int prompt, Dictionary<string, double> figures)
    {
        using var context = new Gpt2Context(model, threads);
        int[] ids = Ids(model, prompt);
        context.Forward(ids); // touches the cache's pages
        context.Truncate(0);
        long start = Stopwatch.GetTimestamp();
        context.Forward(ids);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        NotePrivateMemory(figures);
        return seconds;
    }

    internal static void NotePrivateMemory(Dictionary<string, double> figures)
    {
        const string Name = "private memory while running, MiB";
        figures[Name] = Math.Max(figures.GetValueOrDefault(Name), PrivateMemory.MiB);
    }

    internal static int[] Ids(Gpt2Model model, int count, int first = 0) =>
        [.. Enumerable.Range(first, count).Select(i => (int)((i * 7919L) % model.HyperParameters.NVocab))];

    private static double Flops(Gpt2HyperParameters h, int n)
    {
        double weights = 12.0 * h.NEmbd * h.NEmbd * h.NLayer * n;
        double attention = 2.0 * h.NLayer * h.NEmbd * ((double)n * (n + 1) / 2); // scores and sums over the positions before
        return 2 * (weights + attention + ((double)h.NEmbd * h.NVocab));
    }
}

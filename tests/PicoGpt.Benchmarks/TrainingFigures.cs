using System.Diagnostics;
using System.Text;
using PicoGpt.Architecture;
using PicoGpt.Numerics;
using PicoGpt.Tokens;
using PicoGpt.Training;

namespace PicoGpt.Benchmarks;

/// <summary>
/// A step of training beside the machine's limits: its forward and backward pass as a share of the peak of fused multiply-add, by six
/// operations a parameter and token and those of attention, the update among it; the update by itself beside a loop that reads and writes the
/// same memory and computes next to nothing; and the learning of a vocabulary.
/// </summary>
internal static unsafe class TrainingFigures
{
    private const int Steps = 3, Updates = 8;
    private const int Characters = 10_000_000, Merges = 2000;

    private static readonly (int Texts, int Length)[] Batches = [(4, 64), (1, 256)];

    public static void Measure(Gpt2Model model, int threads, double peak, Dictionary<string, double> figures)
    {
        foreach ((int texts, int length) in Batches)
        {
            using Gpt2Model copy = model.Clone();
            var options = new TrainingOptions { BatchSize = texts, ContextLength = length, ValidationShare = 0, Threads = threads };
            MeasureSteps(copy, options, peak, figures);
        }

        MeasureUpdate(model.HyperParameters, threads, figures);
        MeasureVocabulary(figures);
    }

    private static void MeasureSteps(Gpt2Model model, TrainingOptions options, double peak, Dictionary<string, double> figures)
    {
        Gpt2HyperParameters h = model.HyperParameters;
        string row = $"train {options.BatchSize}x{options.ContextLength}";
        int[] tokens = [.. Enumerable.Range(0, 8 * options.BatchSize * options.ContextLength).Select(i => (int)(i * 7919L % h.NVocab))];
        GC.Collect(); // the copy before this one, and what else would be taken away, and counted, while steps are measured
        GC.WaitForPendingFinalizers();
        double before = PrivateMemory.MiB - Weights(h); // the copy's, which was touched when it was made
        using var trainer = new Trainer(model, tokens, options);
        trainer.Next(); // touches the pages
        double activations = TrainingMemory.Of(h, options).Activations / (double)(1 << 20);
        figures[$"{row}, bytes a parameter"] = (PrivateMemory.MiB - before - activations) * (1 << 20) / h.ParameterCount;
        long allocated = GC.GetTotalAllocatedBytes(precise: true), start = Stopwatch.GetTimestamp();
        for (int step = 0; step < Steps; step++) trainer.Next();
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds / Steps;
        allocated = GC.GetTotalAllocatedBytes(precise: true) - allocated; // before the figures' own
        figures[$"{row}, ms a step"] = seconds * 1e3;
        figures[$"{row}, % of FMA"] = 100 * Flops(h, options) / seconds / peak;
        figures[$"{row}, bytes allocated a step"] = allocated / (double)Steps;
        figures[$"{row}, ms from cancelling to the end"] = MeasureCancelling(trainer, seconds) * 1e3;
    }

    // Weights, gradients and two moments are read, and all but the gradients written.
    private static void MeasureUpdate(Gpt2HyperParameters h, int threads, Dictionary<string, double> figures)
    {
        using LeafMemory weights = new(h, _ => true), gradients = new(h, _ => true), first = new(h, _ => true), second = new(h, _ => true);
        Matrix[][] all = [.. new[] { weights, gradients, first, second }.Select(memory => memory.Tree.ToArray())];
        foreach (Matrix gradient in all[1]) gradient.Values.Fill(1e-3f);
        List<WeightPart> parts = [];
        for (int i = 0; i < all[0].Length; i++) WeightPart.Add(parts, all[0][i], all[1][i], all[2][i], all[3][i], decays: true);
        var update = new UpdateJob(Kernels.Best, [.. parts]);
        using var pool = new WorkerPool(threads);
        var factors = new AdamWFactors(Gradient: 1, Beta1: 0.9f, Beta2: 0.999f, Rate: 1e-4f, Correction: 1, Epsilon: 1e-8f, Keep: 1 - 1e-6f);
        update.Update(pool, factors); // touches the pages
        double seconds = double.MaxValue, limit = double.MaxValue;
        for (int round = 0; round < Updates; round++)
        {
            long start = Stopwatch.GetTimestamp();
            update.Update(pool, factors);
            seconds = Math.Min(seconds, Stopwatch.GetElapsedTime(start).TotalSeconds);
            limit = Math.Min(limit, MachineLimits.ReadFourWriteThree(parts, threads));
        }

        double bytes = 7.0 * sizeof(float) * h.ParameterCount;
        figures["train, AdamW, ms"] = seconds * 1e3;
        figures["train, AdamW, GB/s"] = bytes / seconds / 1e9;
        figures["train, 4 reads 3 writes, GB/s"] = bytes / limit / 1e9;
        figures["train, AdamW, % of that"] = 100 * limit / seconds;
    }

    // A step is cancelled after a third, a half and two thirds of its time; the longest until it has ended counts.
    private static double MeasureCancelling(Trainer trainer, double step)
    {
        double longest = 0;
        foreach (double share in (double[])[1.0 / 3, 1.0 / 2, 2.0 / 3])
        {
            using var source = new CancellationTokenSource();
            long cancelled = 0;
            using CancellationTokenRegistration noted = source.Token.Register(() => cancelled = Stopwatch.GetTimestamp());
            source.CancelAfter(TimeSpan.FromSeconds(step * share));
            try
            {
                while (true) trainer.Next(source.Token);
            }
            catch (OperationCanceledException)
            {
                longest = Math.Max(longest, Stopwatch.GetElapsedTime(cancelled).TotalSeconds);
            }
        }

        return longest;
    }

    private static double Weights(Gpt2HyperParameters h) => h.ParameterCount * sizeof(float) / (double)(1 << 20);

    private static double Flops(Gpt2HyperParameters h, TrainingOptions options)
    {
        double tokens = (double)options.BatchSize * options.ContextLength;
        double pairs = options.BatchSize * (options.ContextLength * (options.ContextLength + 1.0) / 2); // a position and one before it, or itself
        double attention = 6 * 2.0 * h.NLayer * h.NEmbd * pairs; // scores and sums, forward and twice backward
        return (6 * h.ParameterCount * tokens) + attention;
    }

    private static void MeasureVocabulary(Dictionary<string, double> figures)
    {
        string text = Text();
        long start = Stopwatch.GetTimestamp();
        var training = new VocabularyTraining();
        training.Add(text);
        training.Learn(VocabularyTraining.LeastSize + Merges);
        figures[$"{Merges} merges from {text.Length / 1_000_000} MB, ms"] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        figures["of different words, thousands"] = training.Words / 1e3;
    }

    // Made-up words of pieces of the built-in vocabulary, the n-th of them 1/n as frequent as the first, which is about as it is in prose.
    private static string Text()
    {
        const int Words = 100_000;
        using Gpt2Model model = Gpt2Model.Open(Path.Combine(AppContext.BaseDirectory, "models", "3M"));
        string[] pieces = [.. Enumerable.Range(0, model.Encoder.Count).Select(id => model.Encoder.Decode([id])).Where(piece => piece.All(char.IsAsciiLetterLower))];
        var random = new Random(1);
        string[] words = [.. Enumerable.Range(0, Words).Select(_ => string.Concat(Enumerable.Range(0, random.Next(1, 5)).Select(_ => pieces[random.Next(pieces.Length)])))];
        var text = new StringBuilder(Characters + 100);
        while (text.Length < Characters) text.Append(words[(int)Math.Pow(Words, random.NextDouble()) - 1]).Append(random.Next(12) == 0 ? ", " : " ");
        return text.ToString();
    }
}

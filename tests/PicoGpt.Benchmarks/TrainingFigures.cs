using System.Diagnostics;
using System.Text;
using PicoGpt.Architecture;
using PicoGpt.Tokens;
using PicoGpt.Training;

namespace PicoGpt.Benchmarks;

/// <summary>
/// A step of training beside the machine's limits: its forward and backward pass as a share of the peak of fused multiply-add, by six
/// operations a parameter and token and those of attention, the update among it; and the learning of a vocabulary.
/// </summary>
internal static class TrainingFigures
{
    private const int Steps = 3;
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

        MeasureVocabulary(figures);
    }

    private static void MeasureSteps(Gpt2Model model, TrainingOptions options, double peak, Dictionary<string, double> figures)
    {
        Gpt2HyperParameters h = model.HyperParameters;
        string row = $"train {options.BatchSize}x{options.ContextLength}";
        int[] tokens = [.. Enumerable.Range(0, 8 * options.BatchSize * options.ContextLength).Select(i => (int)(i * 7919L % h.NVocab))];
        using var trainer = new Trainer(model, tokens, options);
        trainer.Next(); // touches the pages
        long allocated = GC.GetTotalAllocatedBytes(precise: true), start = Stopwatch.GetTimestamp();
        for (int step = 0; step < Steps; step++) trainer.Next();
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds / Steps;
        figures[$"{row}, ms a step"] = seconds * 1e3;
        figures[$"{row}, % of FMA"] = 100 * Flops(h, options) / seconds / peak;
        figures[$"{row}, bytes allocated a step"] = (GC.GetTotalAllocatedBytes(precise: true) - allocated) / (double)Steps;
        figures[$"{row}, ms from cancelling to the end"] = MeasureCancelling(trainer, seconds) * 1e3;
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

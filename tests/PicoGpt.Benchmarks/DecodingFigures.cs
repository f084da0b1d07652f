using System.Diagnostics;
using PicoGpt.Architecture;
using PicoGpt.Inference;
using PicoGpt.Weights;

namespace PicoGpt.Benchmarks;

/// <summary>
/// Plain steps beside what memory gives in the same moment: every tenth of a second or so memory in large pages is read from end to end, since what a
/// shared machine's memory gives may double from one second to the next. The share of the steps is that of the reads just before and just after
/// them, and is told of slow moments and of fast ones.
/// </summary>
internal static class DecodingFigures
{
    private const double BytesBetweenReads = 2.5e9; // what reads leave in the caches does not count against so many
    private const double FastRate = 40e9; // bytes a second

    private static readonly (int Prompt, int New)[] Runs = [(10, 40), (10, 200), (900, 40)];

    public static void Measure(Gpt2Model model, TableOptions options, Dictionary<string, double> figures)
    {
        using var memory = new LargePageReads(options.Threads);
        foreach ((int prompt, int count) in Runs)
        {
            List<Moment> moments = Decode(model, options, memory, prompt, count, figures, out double speed);
            figures[$"decode {prompt}+{count}, tokens/s"] = speed;
            figures[$"decode {prompt}+{count}, % of large-page reads"] = ShareOf(moments);
            AddShare(figures, $"decode {prompt}+{count}, % of slow moments' reads", [.. moments.Where(moment => moment.Rate < FastRate)]);
            AddShare(figures, $"decode {prompt}+{count}, % of fast moments' reads", [.. moments.Where(moment => moment.Rate >= FastRate)]);
        }
    }

    private static List<Moment> Decode(Gpt2Model model, TableOptions options, LargePageReads memory, int prompt, int count, Dictionary<string, double> figures, out double speed)
    {
        List<Moment> moments = [];
        var sampler = new Sampler(new GenerationOptions(), model.HyperParameters.NVocab);
        using var context = new Gpt2Context(model, options.Threads);
        ReadOnlySpan<float> logits = context.Forward(SpeedTable.Ids(model, prompt));
        double before = memory.Rate(), all = 0;
        int together = Math.Clamp((int)(BytesBetweenReads / BytesPerToken(model, prompt)), 1, count);
        while (moments.Count < count / together)
        {
            double bytes = together * BytesPerToken(model, context.Length);
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < together; i++) logits = context.Forward([sampler.Next(logits)]);
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds, after = memory.Rate();
            moments.Add(new Moment((before + after) / 2, bytes / seconds));
            (before, all) = (after, all + seconds);
        }

        SpeedTable.NotePrivateMemory(figures);
        speed = moments.Count * together / all;
        return moments;
    }

    private static void AddShare(Dictionary<string, double> figures, string name, List<Moment> moments)
    {
        if (moments.Count > 0) figures[name] = ShareOf(moments);
    }

    // the median of percents
    private static double ShareOf(List<Moment> moments)
    {
        List<double> shares = [.. moments.Select(moment => 100 * moment.Taken / moment.Rate).Order()];
        return shares[shares.Count / 2];
    }

    // every weight but wpe, and the keys and values of the positions before
    private static double BytesPerToken(Gpt2Model model, int positions)
    {
        Gpt2HyperParameters h = model.HyperParameters;
        Gpt2MemoryNeed need = Gpt2MemoryNeed.Of(h, model.Precision);
        return need.Weights - model.Parameters.Wpe.Size + ((double)need.Cache / h.NCtx * positions);
    }

    /// <param name="Rate">What memory gave, in bytes a second.</param>
    /// <param name="Taken">What the steps took.</param>
    private readonly record struct Moment(double Rate, double Taken);
}

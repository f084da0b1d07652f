using System.Diagnostics;

namespace PicoGpt.Fuzz;

/// <summary>Makes cases of a target and judges how each ends: in the right answer, in a sentence, or in a find.</summary>
internal sealed class FuzzRunner(FuzzTarget target)
{
    private const int TriesAgainstTheClock = 3;

    public FuzzCount Count { get; } = new(target.Name);

    /// <summary>When the case that runs now, or ran last, began, as a timestamp; 0 before the first and after a portion.</summary>
    public long Since { get; set; }

    public ulong Case { get; private set; }

    /// <summary>Runs the case that a number makes: the same number makes the same one.</summary>
    /// <returns>The find, where it is one.</returns>
    public FuzzFind? Run(ulong number) => Run(number, target.Mutate(new Dice(number)));

    /// <summary>Runs one case.</summary>
    /// <returns>The find, where it is one.</returns>
    public FuzzFind? Run(ulong number, Mutant mutant)
    {
        Case = number;
        Since = Stopwatch.GetTimestamp();
        target.Put(mutant);
        string? fault = null;
        for (int tries = 0; tries < TriesAgainstTheClock; tries++)
        {
            fault = Judge(mutant, out TimeSpan time);
            if (time <= FuzzLimits.Time) break; // another process may have taken the processor
            fault ??= $"it took {time.TotalSeconds:0.0} s";
        }

        if (fault is null) return null;
        var find = new FuzzFind(target.Name, number, fault, mutant);
        Count.Finds.Add(find);
        return find;
    }

    private string? Judge(Mutant mutant, out TimeSpan time)
    {
        string? answer = null;
        Exception? fault = null;
        long before = GC.GetAllocatedBytesForCurrentThread();
        long start = Stopwatch.GetTimestamp();
        try
        {
            answer = target.Read();
        }
        catch (Exception any)
        {
            fault = any;
        }

        time = Stopwatch.GetElapsedTime(start);
        long bytes = GC.GetAllocatedBytesForCurrentThread() - before - mutant.Files.Sum(file => (long)file.Bytes.Length);
        if (time > Count.MaxTime) Count.MaxTime = time;
        Count.MaxBytes = Math.Max(Count.MaxBytes, bytes);
        string? find = Find(mutant, answer, fault) ?? (bytes > FuzzLimits.Bytes ? $"it allocated {bytes:N0} bytes beyond the file" : null);
        if (find is null && time <= FuzzLimits.Time)
        {
            if (fault is null) Count.Read++;
            else Count.Refused++;
        }

        return find;
    }

    private string? Find(Mutant mutant, string? answer, Exception? fault) => fault switch
    {
        null when mutant.IsCovered && answer != target.GoodAnswer => $"another answer under unchanged checksums: {answer}",
        null => null,
        Gpt2Exception refusal => SentenceFault(refusal.Message),
        _ => fault.ToString(),
    };

    private static string? SentenceFault(string message)
    {
        bool isSentence = message is [.., '.' or '?'] && message.Length is > 20 and <= FuzzLimits.MaxSentenceLength && !message.Any(char.IsControl)
            && !message.Contains("Exception", StringComparison.Ordinal);
        return isSentence ? null : $"no sentence: {message}";
    }
}

using System.Diagnostics;

namespace PicoGpt.PowerShell;

/// <summary>How long a training takes: the steps alone, for their speed and the time that is left.</summary>
/// <param name="began">The steps that were done before.</param>
internal sealed class TrainingClock(int began)
{
    private readonly long _start = Stopwatch.GetTimestamp();
    private TimeSpan _stepping;

    /// <summary>The time since it began, with all that was done beside the steps.</summary>
    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(_start);

    /// <summary>Does a step, and measures it.</summary>
    public void Measure(Action step)
    {
        long start = Stopwatch.GetTimestamp();
        step();
        _stepping += Stopwatch.GetElapsedTime(start);
    }

    /// <summary>The time that the steps after one will take; <see langword="null"/> before the first.</summary>
    public TimeSpan? TimeLeft(int step, int steps) => step > began ? _stepping / (step - began) * (steps - step) : null;

    /// <summary>Tokens a second.</summary>
    public double PerSecond(int step, int tokens) => tokens * (step - began) / _stepping.TotalSeconds;
}

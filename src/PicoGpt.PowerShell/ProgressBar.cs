using System.Diagnostics;
using System.Management.Automation;

namespace PicoGpt.PowerShell;

/// <summary>
/// A progress bar for work that may be short: it appears only when the work takes longer than a second, is drawn five times per second
/// at most, and is gone when it is disposed. To be used on the pipeline thread.
/// </summary>
internal sealed class ProgressBar(Cmdlet cmdlet, string activity) : IDisposable
{
    private const int Activity = 0x4750_5434;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    private readonly long _start = Stopwatch.GetTimestamp();
    private long _shown;

    /// <summary>Draws the bar of work that goes through bytes, with its speed, where it is time to.</summary>
    /// <param name="done">The bytes that are done.</param>
    /// <param name="total">All of them.</param>
    public void Show(long done, long total)
    {
        double perSecond = done / Stopwatch.GetElapsedTime(_start).TotalSeconds;
        TimeSpan? left = done > 0 ? TimeSpan.FromSeconds((total - done) / perSecond) : null;
        Show($"{Format.Bytes(done)} of {Format.Bytes(total)}, {Format.Bytes((long)perSecond)}/s", (double)done / total, left);
    }

    /// <summary>Draws the bar of work that goes through tokens, with its speed, where it is time to.</summary>
    /// <param name="done">The tokens that are done.</param>
    /// <param name="left">Those that are left, as far as they are known.</param>
    /// <param name="elapsed">The time that those which are done took.</param>
    public void ShowTokens(long done, long left, TimeSpan elapsed)
    {
        double perSecond = done / elapsed.TotalSeconds;
        TimeSpan? timeLeft = done == 0 ? null : TimeSpan.FromSeconds(left / perSecond);
        Show(FormattableString.Invariant($"{done} of {done + left} tokens, {perSecond:F1} tokens/s"), (double)done / Math.Max(1, done + left), timeLeft);
    }

    /// <summary>Draws the bar where it is time to.</summary>
    /// <param name="status">What is being done.</param>
    /// <param name="share">How much of it is done, from 0 to 1.</param>
    /// <param name="left">The time that is left, where that is known.</param>
    public void Show(string status, double share, TimeSpan? left = null)
    {
        if (Stopwatch.GetElapsedTime(_start) < Patience || (_shown != 0 && Stopwatch.GetElapsedTime(_shown) < Interval)) return;
        _shown = Stopwatch.GetTimestamp();
        cmdlet.WriteProgress(new ProgressRecord(Activity, Format.Visible(activity), Format.Visible(status))
        {
            PercentComplete = (int)Math.Clamp(100 * share, 0, 100),
            SecondsRemaining = left is { } time ? (int)Math.Min(time.TotalSeconds, int.MaxValue) : -1,
        });
    }

    public void Dispose()
    {
        if (_shown != 0) cmdlet.WriteProgress(new ProgressRecord(Activity, Format.Visible(activity), "done") { RecordType = ProgressRecordType.Completed });
        _shown = 0;
    }
}

namespace PicoGpt.Files;

/// <summary>Does with a file what may have to wait for a moment; see <see cref="FileSystemFacts.MayPass"/>.</summary>
/// <param name="facts">The system's facts.</param>
/// <param name="wait">Waits.</param>
/// <param name="collect">Frees what this process has forgotten: the pages of a file that was closed while spans of it were about.</param>
internal sealed class BusyFile(FileSystemFacts facts, Action<TimeSpan> wait, Action collect)
{
    private static readonly BusyFile OfThisMachine = new(FileSystemFacts.OfThisMachine, Thread.Sleep, () =>
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    });

    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(5), LongestWait = TimeSpan.FromMilliseconds(160);

    /// <summary>For what may as well be left for later.</summary>
    public static TimeSpan Briefly { get; } = TimeSpan.FromMilliseconds(50);

    /// <summary>For what has to be done: longer than a virus scanner looks at a small file.</summary>
    public static TimeSpan Patiently { get; } = TimeSpan.FromSeconds(2);

    /// <summary>Does something on this machine, and again while the fault may pass.</summary>
    public static void Do(TimeSpan patience, Action action) => OfThisMachine.Try(patience, action);

    /// <summary>Does something, and again while the fault may pass.</summary>
    /// <param name="patience">How long to wait in all.</param>
    /// <param name="action">What to do.</param>
    public void Try(TimeSpan patience, Action action)
    {
        TimeSpan waited = TimeSpan.Zero, next = FirstWait;
        while (true)
        {
            try
            {
                action();
                return;
            }
            catch (Exception fault) when (waited < patience && facts.MayPass(fault))
            {
                if (waited == TimeSpan.Zero && patience > Briefly) collect();
                wait(next);
                waited += next;
                next = next + next < LongestWait ? next + next : LongestWait;
            }
        }
    }
}

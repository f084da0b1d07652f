namespace PicoGpt.Machine;

/// <summary>
/// Arrays of megabytes that are made one after another and soon left. The runtime looks for them late: while 6 GB of weights were read from a file of
/// small types, 4 GB of arrays that nobody needed were there beside them (measured). What refers to nothing is looked through in no time.
/// </summary>
internal static class LargeArrays
{
    // A collection takes tens of milliseconds in a PowerShell, which the first token of a small model would wait for.
    private const long Enough = 1024L * 1024 * 1024;

    private static long _made;

    /// <summary>Tells of an array; now and then those that nobody needs are given back.</summary>
    /// <param name="bytes">How large it is.</param>
    public static void Made(long bytes)
    {
        if (Interlocked.Add(ref _made, bytes) < Enough) return;
        Interlocked.Exchange(ref _made, 0);
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true);
    }
}

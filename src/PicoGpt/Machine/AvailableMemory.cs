namespace PicoGpt.Machine;

/// <summary>The memory of this machine, or of the container that it is.</summary>
public static class AvailableMemory
{
    /// <summary>Bytes that there are in all.</summary>
    public static long TotalBytes => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>
    /// Bytes that this process can use without swapping, as the system estimates; never negative. On Linux the least of what the
    /// machine, the control groups and the limits of the process leave.
    /// </summary>
    public static long Bytes => OperatingSystem.IsLinux() && MemoryFacts.OfThisMachine.Free is { } free
        ? Math.Min(free, TotalBytes)
        : Math.Max(0, TotalBytes - GC.GetGCMemoryInfo().MemoryLoadBytes);
}

using System.Globalization;

namespace PicoGpt.Machine;

/// <summary>The memory of this machine, or of the container that it is.</summary>
public static class AvailableMemory
{
    private const string LinuxFile = "/proc/meminfo";

    /// <summary>Bytes that there are in all.</summary>
    public static long TotalBytes => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>Bytes that can be used without swapping, as the system estimates; never negative.</summary>
    public static long Bytes
    {
        get
        {
            if (OperatingSystem.IsLinux() && File.Exists(LinuxFile) && ParseMemInfo(File.ReadLines(LinuxFile)) is long available)
                return Math.Min(available, TotalBytes);
            return Math.Max(0, TotalBytes - GC.GetGCMemoryInfo().MemoryLoadBytes);
        }
    }

    /// <summary>MemAvailable of Linux's /proc/meminfo (proc_meminfo(5)), in bytes.</summary>
    internal static long? ParseMemInfo(IEnumerable<string> lines)
    {
        string? line = lines.FirstOrDefault(line => line.StartsWith("MemAvailable:", StringComparison.Ordinal));
        string[] words = line?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
        return words is [_, string number, "kB"] && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out long kilobytes)
            ? kilobytes * 1024
            : null;
    }
}

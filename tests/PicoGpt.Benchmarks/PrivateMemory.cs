using System.Globalization;

namespace PicoGpt.Benchmarks;

/// <summary>What the process has in memory that belongs to no file.</summary>
internal static class PrivateMemory
{
    /// <summary>How much it is now, in MiB; Linux alone tells, and elsewhere it is 0.</summary>
    public static double MiB
    {
        get
        {
            if (!OperatingSystem.IsLinux()) return 0;
            string line = File.ReadLines("/proc/self/status").First(line => line.StartsWith("RssAnon:", StringComparison.Ordinal));
            return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) / 1024;
        }
    }
}

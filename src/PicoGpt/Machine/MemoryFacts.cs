using System.Globalization;

namespace PicoGpt.Machine;

/// <summary>
/// What a system's files say of free memory: Linux's /proc/meminfo (proc_meminfo(5)), the control groups of this process, of both
/// versions (cgroup-v2.rst, cgroup-v1/memory.rst), and the limits of the process (proc_pid_limits(5)).
/// </summary>
/// <param name="read">The text of a file; <see langword="null"/> where it does not exist or cannot be read.</param>
internal sealed class MemoryFacts(Func<string, string?> read)
{
    /// <summary>The facts of this machine.</summary>
    public static MemoryFacts OfThisMachine { get; } = new(ReadFile);

    /// <summary>The least of what the machine, each control group and the limits leave; <see langword="null"/> where nothing tells.</summary>
    public long? Free => Least([.. InAll, .. Groups, .. Limits]);

    private IEnumerable<long> InAll => Number(Field(read("/proc/meminfo"), "MemAvailable:")) is { } kilobytes ? [kilobytes * 1024] : [];

    private IEnumerable<long> Groups
    {
        get
        {
            foreach (string line in Lines(read("/proc/self/cgroup")))
            {
                if (line.Split(':', 3) is not [_, string controllers, string group]) continue;
                bool isFirst = controllers.Split(',').Contains("memory");
                if (!isFirst && controllers.Length > 0) continue;
                string root = isFirst ? "/sys/fs/cgroup/memory" : "/sys/fs/cgroup";
                foreach (string folder in UpFrom(root, group))
                {
                    if (FreeOf(folder, isFirst) is { } free) yield return free;
                }
            }
        }
    }

    // Where a limit of addresses or of data is set, they count though nothing was written to them yet.
    private IEnumerable<long> Limits
    {
        get
        {
            string[] sizes = (read("/proc/self/statm") ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
            string? limits = read("/proc/self/limits");
            foreach ((string name, int used) in ((string, int)[])[("Max address space", 0), ("Max data size", 5)])
            {
                if (Number(Field(limits, name)) is { } limit && sizes.Length > used && Number(sizes[used]) is { } pages)
                    yield return Math.Max(0, limit - (pages * Environment.SystemPageSize));
            }
        }
    }

    // Pages of files are given back when others need them.
    private long? FreeOf(string folder, bool isFirst)
    {
        if (Number(read($"{folder}/{(isFirst ? "memory.limit_in_bytes" : "memory.max")}")) is not { } limit) return null;
        if (Number(read($"{folder}/{(isFirst ? "memory.usage_in_bytes" : "memory.current")}")) is not { } used) return null;
        string? statistics = read($"{folder}/memory.stat");
        string prefix = isFirst ? "total_" : "";
        long files = ((string[])["inactive_file ", "active_file "]).Sum(name => Number(Field(statistics, prefix + name)) ?? 0);
        return Math.Max(0, limit - Math.Max(0, used - files));
    }

    // A container may see its own group as the root, or its host's names of groups that it has not.
    private static IEnumerable<string> UpFrom(string root, string group)
    {
        for (string at = group.TrimEnd('/'); at.Length > 0; at = at[..Math.Max(at.LastIndexOf('/'), 0)]) yield return root + at;
        yield return root;
    }

    // Enumerable.Min would be compiled for vectors before a first token.
    private static long? Least(long[] numbers) => numbers.Length > 0 ? numbers.Aggregate(Math.Min) : null;

    private static string[] Lines(string? text) => (text ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static string? Field(string? text, string name) =>
        Array.Find(Lines(text), line => line.StartsWith(name, StringComparison.Ordinal)) is { } found ? found[name.Length..] : null;

    // the first word, where it is a number
    private static long? Number(string? text) => text?.Split((char[])[' ', '\t', '\n'], StringSplitOptions.RemoveEmptyEntries) is [string word, ..]
        && long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            ? number
            : null;

    private static string? ReadFile(string path)
    {
        try
        {
            return File.Exists(path) ? File.ReadAllText(path) : null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

namespace PicoGpt.Machine;

/// <summary>How many threads pay: two threads of one core share its arithmetic and its way to memory.</summary>
internal static class Processors
{
    /// <summary>
    /// The physical cores that this process may use. Linux tells which processors share a core; elsewhere every processor
    /// counts.
    /// </summary>
    public static int PhysicalCount { get; } = Math.Clamp(CountCores("/sys/devices/system/cpu"), 1, Environment.ProcessorCount);

    /// <summary>The most threads that a computation may be asked to have: where the system has no more of them, .NET ends the process.</summary>
    public const int MaxThreads = 1024;

    /// <summary>How many threads to compute with.</summary>
    /// <param name="wanted">How many were asked for; 0 for one per physical core.</param>
    /// <exception cref="Gpt2Exception">That many are none, or too many.</exception>
    public static int CountFor(int wanted)
    {
        if (wanted is < 0 or > MaxThreads)
            throw new Gpt2Exception(Gpt2Error.InvalidArgument, $"Threads is {wanted}; give 0 (one per physical core) to {MaxThreads}.");
        return wanted == 0 ? PhysicalCount : wanted;
    }

    /// <summary>
    /// What is to be said of more threads than there are processors: all wait for each other at every step, and so for those that have none. Null
    /// where there are as many.
    /// </summary>
    /// <param name="wanted">How many were asked for.</param>
    public static string? ExcessOf(int wanted) => wanted > Environment.ProcessorCount && wanted <= MaxThreads
        ? $"Threads is {wanted}, but there {(Environment.ProcessorCount == 1 ? "is one processor" : $"are {Environment.ProcessorCount} processors")}: more threads than that take several times as long; "
            + "give 0, or leave it out, for one per physical core."
        : null;

    /// <summary>The distinct sets of processors that share a core, or the number of processors where nothing tells.</summary>
    internal static int CountCores(string folder)
    {
        try
        {
            int cores = Directory.EnumerateDirectories(folder, "cpu*")
                .Select(cpu => Path.Combine(cpu, "topology", "thread_siblings_list"))
                .Where(File.Exists)
                .Select(File.ReadAllText)
                .Distinct()
                .Count();
            return cores > 0 ? cores : Environment.ProcessorCount;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return Environment.ProcessorCount;
        }
    }
}

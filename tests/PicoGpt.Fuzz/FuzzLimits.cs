namespace PicoGpt.Fuzz;

/// <summary>What a case may take.</summary>
internal static class FuzzLimits
{
    public static readonly TimeSpan Time = TimeSpan.FromSeconds(1);

    /// <summary>All bytes that are allocated while a case is read, kept or not, beside the length of its files.</summary>
    public const long Bytes = 64L * 1024 * 1024;

    /// <summary>After that a case is taken to run for ever, and the process ends.</summary>
    public static readonly TimeSpan Hang = TimeSpan.FromSeconds(20);

    public const int MaxSentenceLength = 12_000;
}

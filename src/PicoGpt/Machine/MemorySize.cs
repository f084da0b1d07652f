namespace PicoGpt.Machine;

/// <summary>Amounts of memory in sentences, the same in every culture.</summary>
internal static class MemorySize
{
    /// <summary>An amount such as <c>474.7 MiB</c> or <c>7.5 GiB</c>.</summary>
    public static string Of(long bytes) => bytes >= 1L << 30
        ? FormattableString.Invariant($"{bytes / (double)(1L << 30):F1} GiB")
        : FormattableString.Invariant($"{bytes / (double)(1L << 20):F1} MiB");
}

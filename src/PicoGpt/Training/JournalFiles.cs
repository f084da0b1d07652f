using System.Globalization;

namespace PicoGpt.Training;

/// <summary>The journals in the folder of a training: one for each checkpoint, by its step.</summary>
/// <param name="folder">The full path.</param>
internal sealed class JournalFiles(string folder)
{
    private const string Name = "training-", Suffix = ".json";

    /// <summary>The steps that have one, the earliest first; none where there is no such folder.</summary>
    public int[] Steps() => Directory.Exists(folder)
        ? [.. Directory.EnumerateFiles(folder, Name + "*" + Suffix).Select(StepOf).Where(step => step >= 0).Order()]
        : [];

    /// <summary>The steps whose checkpoints are not kept: all before the newest, but for the last of them, in case that the newest is lost, and the best.</summary>
    public IEnumerable<int> Superseded(int newest, int best) => Steps().Where(step => step < newest).SkipLast(1).Where(step => step != best);

    /// <summary>The steps after one.</summary>
    public IEnumerable<int> After(int step) => Steps().Where(other => other > step);

    /// <summary>The full path of a step's journal, or of what else is named after it.</summary>
    public string PathOf(int step, string suffix = Suffix) => Path.Combine(folder, FormattableString.Invariant($"{Name}{step}{suffix}"));

    private static int StepOf(string journal) =>
        int.TryParse(Path.GetFileNameWithoutExtension(journal).AsSpan(Name.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int step) ? step : -1;
}

using System.Text.RegularExpressions;

namespace PicoGpt.Files;

/// <summary>
/// Files that are written under temporary names beside their own. As long as one is being written, its writer holds a lock on it, which the
/// system releases when the process ends, however it ends; a file that nobody holds was left by a process that was killed.
/// </summary>
internal static partial class TemporaryFiles
{
    private const string Pattern = "*.tmp", Aside = ".old.tmp";

    // Between its last byte and its name a file is closed, and not locked, for a moment.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    /// <summary>A name that nobody else takes.</summary>
    /// <param name="path">The name that the file is to have in the end.</param>
    public static string NewPath(string path) => $"{path}.{Guid.NewGuid():n}.tmp";

    /// <summary>A name in a folder that nobody else takes.</summary>
    /// <param name="folder">The folder.</param>
    public static string NewPathIn(string folder) => NewPath(Path.TrimEndingDirectorySeparator(folder) + Path.DirectorySeparatorChar);

    /// <summary>What the system says, with the names that files are to have or the folders that they are in: temporary ones tell nobody anything.</summary>
    /// <param name="sentence">What it says.</param>
    public static string WithoutNames(string sentence) => End().Replace(sentence, "");

    /// <summary>A name that nobody else takes, for an older file that is to make room.</summary>
    /// <param name="path">The name that it has.</param>
    public static string NewAsidePath(string path) => $"{path}.{Guid.NewGuid():n}{Aside}";

    /// <summary>Deletes what killed processes left in the folder of a file: of that file and of all others.</summary>
    public static void RemoveOrphans(string path) => RemoveOrphans(path, DateTime.UtcNow);

    /// <summary>The same as if it was that time.</summary>
    internal static void RemoveOrphans(string path, DateTime now)
    {
        try
        {
            foreach (string file in Directory.EnumerateFiles(Path.GetDirectoryName(path)!, Pattern).Where(file => Name().IsMatch(Path.GetFileName(file))))
                DeleteIfNobodyHolds(file, now);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // What cannot be taken away does not keep anybody from writing.
        }
    }

    // A link is another's: only what was made here is deleted.
    private static void DeleteIfNobodyHolds(string file, DateTime now)
    {
        try
        {
            var info = new FileInfo(file);
            if (info.LinkTarget is not null || now - info.LastWriteTimeUtc < Patience) return;
            using FileStream held = new(file, FileMode.Open, FileAccess.ReadWrite, FileShare.Delete);
            if (!IsSetAsideJustNow(file, held, now)) File.Delete(file);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
        }
    }

    // It was written long ago, but has its name, by which it may come back, since just now.
    private static bool IsSetAsideJustNow(string file, FileStream held, DateTime now) => file.EndsWith(Aside, StringComparison.Ordinal)
        && FileIdentity.TryOf(held.SafeFileHandle) is { } identity && now - identity.ChangedAt < Patience;

    [GeneratedRegex(@"\.[0-9a-f]{32}(\.old)?\.tmp$")]
    private static partial Regex Name();

    [GeneratedRegex(@"[/\\]?\.[0-9a-f]{32}(\.old)?\.tmp(?=\W|$)")]
    private static partial Regex End();
}

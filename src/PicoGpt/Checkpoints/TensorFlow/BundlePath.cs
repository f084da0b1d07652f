using System.Text.RegularExpressions;
using PicoGpt.Files;

namespace PicoGpt.Checkpoints.TensorFlow;

/// <summary>
/// Finds the prefix of a checkpoint (<c>folder/model.ckpt</c>) from whatever of it the user named: the folder, the prefix,
/// or any of its files.
/// </summary>
internal static partial class BundlePath
{
    public const string IndexSuffix = ".index";

    private const string GraphSuffix = ".meta";

    public static string IndexFile(string prefix) => prefix + IndexSuffix;

    /// <summary>The prefix of the checkpoint whose data file has that path, or <see langword="null"/> of another file.</summary>
    public static string? PrefixOfData(string path) => DataSuffix().Match(path) is { Success: true } match ? path[..match.Index] : null;

    /// <summary>
    /// Whether a folder holds a checkpoint: its file <c>checkpoint</c> names one that is there, or there is an index, which other programs have
    /// files of the same ending beside.
    /// </summary>
    public static bool IsFolder(string folder) => NamesIndex(folder) || ReadableFolder.Files(folder, "*" + IndexSuffix).Any(IsIndex);

    /// <summary>Whether a folder has a file by whose name it could hold a checkpoint.</summary>
    public static bool MayBeFolder(string folder) =>
        File.Exists(Path.Combine(folder, CheckpointState.FileName)) || ReadableFolder.Files(folder, "*" + IndexSuffix).Length > 0;

    /// <summary>Whether a path has the name of a checkpoint's file, or is a prefix.</summary>
    public static bool IsNamed(string path) =>
        Path.GetFileName(path) == CheckpointState.FileName || path.EndsWith(GraphSuffix, StringComparison.Ordinal) || TryStripSuffix(path, out _)
        || File.Exists(IndexFile(path));

    /// <summary>The full path of the prefix; its index exists.</summary>
    public static string FindPrefix(string path)
    {
        string fullPath = Path.GetFullPath(path);
        if (Directory.Exists(fullPath)) return FindInFolder(fullPath);

        string name = Path.GetFileName(fullPath);
        if (name == CheckpointState.FileName && File.Exists(fullPath)) return FindFromCheckpointFile(fullPath);
        if (name.EndsWith(GraphSuffix, StringComparison.Ordinal)) throw MetaGraph(fullPath);
        if (TryStripSuffix(fullPath, out string prefix)) return RequireIndex(prefix);
        if (File.Exists(IndexFile(fullPath))) return fullPath;
        if (File.Exists(fullPath)) throw NotOfACheckpoint(fullPath);
        throw Nothing(fullPath);
    }

    private static string FindInFolder(string folder)
    {
        string checkpointFile = Path.Combine(folder, CheckpointState.FileName);
        if (File.Exists(checkpointFile)) return FindFromCheckpointFile(checkpointFile);

        string[] prefixes = ListPrefixes(folder);
        return prefixes.Length switch
        {
            1 => Path.Combine(folder, prefixes[0]),
            0 => throw new Gpt2Exception(
                Gpt2Error.FileNotFound,
                $"There is no checkpoint in '{folder}': it has neither a file named 'checkpoint' nor one that ends in '.index'.",
                folder),
            _ => throw new Gpt2Exception(
                Gpt2Error.FileNotFound,
                $"'{folder}' holds several checkpoints and no file named 'checkpoint' to choose by; "
                    + $"give one of {Excerpt.Quoted(prefixes, max: 5)} as path.",
                folder),
        };
    }

    private static string FindFromCheckpointFile(string checkpointFile)
    {
        string folder = Path.GetDirectoryName(checkpointFile)!;
        string named = CheckpointState.ReadModelCheckpointPath(checkpointFile);
        foreach (string candidate in Candidates(folder, named))
        {
            if (File.Exists(IndexFile(candidate))) return Path.GetFullPath(candidate);
            if (File.Exists(candidate)) throw NotOfACheckpoint(candidate); // in TensorFlow's first format there is one file of that name
        }

        throw new Gpt2Exception(
            Gpt2Error.FileNotFound,
            $"'{checkpointFile}' names the checkpoint '{named}', but its index '{(LastSegment(named) is { Length: > 0 } name ? name : named)}{IndexSuffix}' is missing"
                + $"{DescribeOthers(folder, "; copy or download it too")}.",
            checkpointFile);
    }

    /// <summary>
    /// Where the named prefix may be. The folder may have moved since, from a machine with the other separator; a network path, and what
    /// Windows takes for a device's, is only looked for beside the file, so that a downloaded file cannot make this machine call another.
    /// </summary>
    private static IEnumerable<string> Candidates(string folder, string named)
    {
        if (FileSystemFacts.OfThisMachine.MayFollow(named))
        {
            yield return Path.Combine(folder, named);
            yield return Path.Combine(folder, named.Replace('\\', '/'));
        }

        if (LastSegment(named) is { Length: > 0 } name) yield return Path.Combine(folder, name);
    }

    private static string LastSegment(string path) => FileSystemFacts.OfThisMachine.NameIn(path);

    private static string RequireIndex(string prefix)
    {
        if (File.Exists(IndexFile(prefix))) return prefix;

        string folder = Path.GetDirectoryName(prefix) ?? prefix;
        throw new Gpt2Exception(
            Gpt2Error.FileNotFound,
            $"There is no checkpoint '{prefix}': the file '{IndexFile(prefix)}' is missing{DescribeOthers(folder)}.",
            IndexFile(prefix));
    }

    // A prefix that is wrong, or the name of a folder or file that was mistyped.
    private static Gpt2Exception Nothing(string path)
    {
        string? missing = MissingPath.FolderOf(path);
        string why = missing is null ? $"the file '{IndexFile(path)}' is missing{DescribeOthers(Path.GetDirectoryName(path) ?? path)}" : $"the folder '{missing}' does not exist";
        return new Gpt2Exception(
            Gpt2Error.FileNotFound, $"There is no checkpoint '{path}', nor a folder or file of that name: {why}{MissingPath.NearClause(path)}.", IndexFile(path));
    }

    private static string DescribeOthers(string folder, string otherwise = "")
    {
        string[] prefixes = [];
        try
        {
            if (Directory.Exists(folder)) prefixes = ListPrefixes(folder);
        }
        catch (Gpt2Exception)
        {
            // a folder that cannot be listed has nothing to offer, and is not what is wrong
        }

        return prefixes.Length == 0 ? otherwise : $"; its folder has {Excerpt.Quoted(prefixes, max: 5)}, which may be given as path";
    }

    private static Gpt2Exception MetaGraph(string path) => new(
        Gpt2Error.NotAFormat,
        $"'{path}' holds a TensorFlow graph, not weights; give the folder or '{path[..^GraphSuffix.Length]}' instead.",
        path);

    private static Gpt2Exception NotOfACheckpoint(string path)
    {
        ForeignWeights.ThrowIfKnown(path);
        if (SortedTable.IsTable(path))
        {
            BundleIndex.Load(path); // says so itself when it is of TensorFlow's first format
            return new Gpt2Exception(
                Gpt2Error.NotAFormat, $"'{path}' is a checkpoint's index under another name; rename it to end in '.index'.", path);
        }

        return new Gpt2Exception(
            Gpt2Error.NotAFormat,
            $"'{path}' is not a file of a TensorFlow checkpoint; give the folder, the prefix, or its '.index', '.data-…' or 'checkpoint' file.",
            path);
    }

    private static bool TryStripSuffix(string path, out string prefix)
    {
        prefix = PrefixOfData(path) ?? (path.EndsWith(IndexSuffix, StringComparison.Ordinal) ? path[..^IndexSuffix.Length] : path);
        return prefix.Length < path.Length;
    }

    // Beside an index there may lie files of the same ending that are something else, such as those of FAISS.
    private static string[] ListPrefixes(string folder)
    {
        string[] files = ReadableFolder.Files(folder, "*" + IndexSuffix), tables = [.. files.Where(IsIndex)];
        return [.. (tables.Length > 0 ? tables : files).Select(file => Path.GetFileName(file)[..^IndexSuffix.Length]).Order(StringComparer.Ordinal)];
    }

    private static bool NamesIndex(string folder)
    {
        string path = Path.Combine(folder, CheckpointState.FileName);
        try
        {
            return ReadableFile.IsThere(path) && Candidates(folder, CheckpointState.ReadModelCheckpointPath(path)).Any(prefix => File.Exists(IndexFile(prefix)));
        }
        catch (Gpt2Exception fault) when (fault.Error != Gpt2Error.Unreadable)
        {
            return false; // a file of this name that is something else
        }
    }

    private static bool IsIndex(string path) => ReadableFile.IsThere(path) && SortedTable.IsTable(path);

    [GeneratedRegex(ShardName.Suffix + @"\z")]
    private static partial Regex DataSuffix();
}

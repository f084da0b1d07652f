namespace PicoGpt.Files;

/// <summary>What is told of a path to which nothing leads, such as one that was mistyped.</summary>
internal static class MissingPath
{
    // Names that have more than every third letter changed are no misspellings.
    private const int LettersPerSlip = 3, MaxNamed = 3;

    /// <summary>The folder of a path that does not exist; <see langword="null"/> where all do.</summary>
    public static string? FolderOf(string path)
    {
        string? missing = null;
        while (Path.GetDirectoryName(path) is { } folder && !Directory.Exists(folder)) missing = path = folder;
        return missing;
    }

    /// <summary>The path itself where it exists, or else the nearest folder above it that does.</summary>
    public static string NearestThere(string path)
    {
        while (!Path.Exists(path) && Path.GetDirectoryName(path) is { } above) path = above;
        return path;
    }

    /// <summary>What is called nearly as the path, or as its folder that does not exist, as a clause that follows; empty where nothing is.</summary>
    public static string NearClause(string path)
    {
        string wanted = FolderOf(path) ?? path;
        if (Path.GetDirectoryName(wanted) is not { } folder) return "";
        string name = Path.GetFileName(wanted);
        string[] names = [.. NamesIn(folder)];
        IEnumerable<string> longer = names.Where(other => other.StartsWith(name + ".", StringComparison.OrdinalIgnoreCase));
        string[] near = [.. NearestNames.Within(name.Length / LettersPerSlip, name, names, MaxNamed).Concat(longer).Distinct()];
        return near.Length == 0 ? "" : $"; {Excerpt.Quoted(near.Select(other => Path.Combine(folder, other)), MaxNamed)} {(near.Length == 1 ? "is" : "are")} there";
    }

    private static IEnumerable<string> NamesIn(string folder)
    {
        try
        {
            return ReadableFolder.Entries(folder).Select(entry => Path.GetFileName(entry));
        }
        catch (Gpt2Exception)
        {
            return []; // it is not what is wrong
        }
    }
}

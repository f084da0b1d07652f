namespace PicoGpt.Store;

/// <summary>Files that the store makes for itself: it writes none of them through a link, which could lead anywhere.</summary>
internal static class OwnFile
{
    /// <summary>Whether a path is a link, wherever it leads.</summary>
    public static bool IsLink(string path) => new FileInfo(path).LinkTarget is not null;

    /// <summary>Deletes a link, and not what it leads to; leaves a file as it is.</summary>
    public static void DeleteLink(string path)
    {
        if (IsLink(path)) File.Delete(path);
    }

    /// <summary>Writes a small file, replacing what was there.</summary>
    public static void Write(string path, string text)
    {
        DeleteLink(path);
        File.WriteAllText(path, text);
    }
}

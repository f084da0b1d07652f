namespace PicoGpt.Store;

/// <summary>
/// Files that the store makes for itself. It writes none of them through a link, which could lead anywhere. Reading one keeps nobody from
/// writing, replacing or deleting it, nor does writing keep anybody from reading it.
/// </summary>
internal static class OwnFile
{
    private const FileShare Everything = FileShare.ReadWrite | FileShare.Delete;

    /// <summary>Whether a path is a link, wherever it leads.</summary>
    public static bool IsLink(string path) => new FileInfo(path).LinkTarget is not null;

    /// <summary>Deletes a link, but not what it leads to; leaves a file as it is.</summary>
    public static void DeleteLink(string path)
    {
        if (IsLink(path)) File.Delete(path);
    }

    /// <summary>The text of a small file.</summary>
    public static string Read(string path)
    {
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, Everything));
        return reader.ReadToEnd();
    }

    /// <summary>Writes a small file, replacing what was there.</summary>
    public static void Write(string path, string text)
    {
        DeleteLink(path);
        Write(path, FileMode.Create, text);
    }

    /// <summary>Appends a text.</summary>
    public static void Append(string path, string text) => Write(path, FileMode.Append, text);

    private static void Write(string path, FileMode mode, string text)
    {
        using var writer = new StreamWriter(new FileStream(path, mode, FileAccess.Write, Everything));
        writer.Write(text);
    }
}

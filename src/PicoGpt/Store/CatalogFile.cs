namespace PicoGpt.Store;

/// <summary>A file of a published model.</summary>
/// <param name="Name">Its name, OpenAI's.</param>
/// <param name="Size">Its exact size in bytes, or <see langword="null"/> where it is not known for certain.</param>
/// <param name="Sha256">Its SHA-256 in lower-case hexadecimal, or <see langword="null"/> where no source is sure enough.</param>
public sealed record CatalogFile(string Name, long? Size, string? Sha256)
{
    /// <summary>
    /// Whether a folder has the file. It has its name only when it was verified; one of another length was put there by somebody else.
    /// </summary>
    internal bool IsIn(string folder)
    {
        string path = Path.Combine(folder, Name);
        if (!File.Exists(path)) return false;
        var target = (FileInfo?)File.ResolveLinkTarget(path, returnFinalTarget: true);
        return Size is null || Size == (target ?? new FileInfo(path)).Length;
    }
}

using PicoGpt.Files;

namespace PicoGpt.Store;

/// <summary>A file of a published model.</summary>
/// <param name="Name">The name that OpenAI gave it.</param>
/// <param name="Size">Its exact size in bytes, or <see langword="null"/> where it is not known for certain.</param>
/// <param name="Sha256">Its SHA-256 in lower-case hexadecimal, or <see langword="null"/> where no reliable source states it.</param>
public sealed record CatalogFile(string Name, long? Size, string? Sha256)
{
    /// <summary>
    /// Whether a folder has the file. Only a verified file gets that name; one of a different length was put there by someone else.
    /// </summary>
    internal bool IsIn(string folder) => LengthIn(folder) is { } length && (Size is null || Size == length);

    /// <summary>The length of the file in a folder, or of what it links to; <see langword="null"/> where there is none.</summary>
    internal long? LengthIn(string folder)
    {
        string path = Path.Combine(folder, Name);
        try
        {
            return File.Exists(path) ? ReadableFile.LengthOf(path) : null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null; // a link to nothing, or to itself
        }
    }
}

namespace PicoGpt.Files;

/// <summary>Lists folders; what the operating system refuses becomes a sentence.</summary>
internal static class ReadableFolder
{
    // What macOS leaves of a file's attributes on disks and in archives of other systems.
    private const string AppleDouble = "._";

    // As on Windows and macOS, where GPT2.SAFETENSORS comes from.
    private static readonly EnumerationOptions AnyCase = new()
    {
        AttributesToSkip = FileAttributes.None, // neither hidden files nor the system's
        IgnoreInaccessible = false,
        MatchCasing = MatchCasing.CaseInsensitive,
        MatchType = MatchType.Win32,
    };

    /// <summary>The paths of the files whose names match one of some patterns, in any case.</summary>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.Unreadable"/>: the folder cannot be listed.</exception>
    public static string[] Files(string folder, params string[] patterns) => List(folder, () =>
    [
        .. patterns.SelectMany(pattern => Directory.GetFiles(folder, pattern, AnyCase))
            .Where(file => !Path.GetFileName(file.AsSpan()).StartsWith(AppleDouble, StringComparison.Ordinal)),
    ]);

    /// <summary>The paths of the folders in a folder.</summary>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.Unreadable"/>: the folder cannot be listed.</exception>
    public static string[] Folders(string folder) => List(folder, () => Directory.GetDirectories(folder));

    /// <summary>The paths of the files and folders in a folder, in the order of their names.</summary>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.Unreadable"/>: the folder cannot be listed.</exception>
    public static IEnumerable<string> Entries(string folder) => Files(folder, "*").Concat(Folders(folder)).Order(StringComparer.Ordinal);

    private static string[] List(string folder, Func<string[]> list)
    {
        try
        {
            return list();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new Gpt2Exception(Gpt2Error.Unreadable, $"The folder '{folder}' cannot be listed: {fault.Message.TrimEnd('.')}.", folder, fault);
        }
    }
}

namespace PicoGpt.Files;

/// <summary>
/// Windows' rules of names, as far as a path can mean something else than it seems to ("Naming Files, Paths, and Namespaces" of Windows'
/// documentation). They are rules of texts, so they are the same wherever they are asked.
/// </summary>
internal static class WindowsPath
{
    private const string Verbatim = @"\\?\", VerbatimNetwork = @"\\?\UNC\";

    // The superscript digits count as digits.
    private static readonly HashSet<string> Devices = new(
        [
            "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$",
            .. "123456789¹²³".SelectMany(digit => (string[])[$"COM{digit}", $"LPT{digit}"]),
        ],
        StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// Whether a part of a path is the name of a device: in any case, with any ending (<c>NUL.txt</c>), and whatever spaces, dots or colons
    /// follow. A path that is taken as it stands (<c>\\?\</c>) has none.
    /// </summary>
    public static bool HasDeviceName(string path) =>
        !path.StartsWith(Verbatim, StringComparison.Ordinal) && path.Split('/', '\\').Any(part => Devices.Contains(part.Split('.', ':')[0].TrimEnd(' ')));

    /// <summary>Whether a path starts at the current folder of a drive: <c>C:x</c>.</summary>
    public static bool IsDriveRelative(string path) => path is [char letter, ':', ..] && char.IsAsciiLetter(letter) && path is not [_, _, '/' or '\\', ..];

    /// <summary>A path without the prefix that keeps Windows from interpreting it: of <c>\\?\C:\x</c>, <c>C:\x</c>.</summary>
    public static string WithoutPrefix(string path)
    {
        if (path.StartsWith(VerbatimNetwork, StringComparison.OrdinalIgnoreCase)) return @"\\" + path[VerbatimNetwork.Length..];
        bool isOfDrive = path.StartsWith(Verbatim, StringComparison.Ordinal) && path.Length >= 7 && path[5] == ':' && path[6] == '\\';
        return isOfDrive ? path[Verbatim.Length..] : path;
    }
}

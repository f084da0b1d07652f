using System.Text;

namespace PicoGpt.Files;

/// <summary>
/// Recognizes what is often found in place of a model's file: a git-LFS pointer, or the error page of a server that was
/// saved under the file's name.
/// </summary>
public static class ForeignFile
{
    private const int InspectedLength = 512;
    private const int QuotedLength = 120;

    // What the model hubs and GitHub answer where there is no such file, or none for whoever asked.
    private static readonly string[] Refusals =
    [
        "Entry not found", "Not Found", "404: Not Found", "Repository not found", "Invalid username or password", "Access to model", "Access denied", "Unauthorized",
        "{\"error\":\"", "{\"message\":\"Not Found",
    ];

    /// <summary>Throws if the file's first bytes show that it is not what its name says.</summary>
    /// <param name="path">An existing file.</param>
    /// <exception cref="Gpt2Exception">
    /// <see cref="Gpt2Error.LfsPointer"/> or <see cref="Gpt2Error.ErrorBody"/>; or the file cannot be opened.
    /// </exception>
    public static void ThrowIfForeign(string path) => ThrowIfForeign(path, ReadableFile.ReadStart(path, InspectedLength));

    /// <summary>Throws if a file's first bytes show that it is not what its name says.</summary>
    /// <param name="path">The file, for the sentence.</param>
    /// <param name="start">The file's first bytes; 512 are enough.</param>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.LfsPointer"/> or <see cref="Gpt2Error.ErrorBody"/>.</exception>
    public static void ThrowIfForeign(string path, ReadOnlySpan<byte> start)
    {
        string text = TextOf(start);
        if (IsLfsPointer(text))
        {
            throw new Gpt2Exception(
                Gpt2Error.LfsPointer,
                $"'{path}' is a git-LFS pointer ({Quote(text)}), not the file itself; "
                    + "run 'git lfs pull' in its repository, or download the file.",
                path);
        }

        if (IsRefusal(text))
        {
            throw new Gpt2Exception(
                Gpt2Error.ErrorBody,
                $"'{path}' is not the file it is named after but a server's answer saved under its name ({Quote(text)}): the place that it was fetched from "
                    + "does not have that file, or did not give it to whoever asked; delete it, and fetch it from the right address.",
                path);
        }

        if (IsErrorBody(text))
        {
            throw new Gpt2Exception(
                Gpt2Error.ErrorBody,
                $"'{path}' is not the file it is named after but a server's answer saved under its name ({Quote(text)}); "
                    + "delete it and download the file again.",
                path);
        }
    }

    /// <summary>What a server sent in place of a file, with its first words; <see langword="null"/> where it may be the file.</summary>
    /// <param name="start">The first bytes of the body.</param>
    /// <param name="isJson">Whether the file itself is JSON.</param>
    internal static string? Recognize(ReadOnlySpan<byte> start, bool isJson)
    {
        string text = TextOf(start);
        if (IsLfsPointer(text)) return $"a git-LFS pointer ({Quote(text)})";
        if (IsErrorBody(text) || IsRefusal(text)) return $"an error page ({Quote(text)})";
        return !isJson && text.StartsWith('{') && IsPrintable(text) ? $"a JSON message ({Quote(text)})" : null;
    }

    /// <summary>The first words of a text, or <see langword="null"/> for what is not text.</summary>
    internal static string? FirstWords(ReadOnlySpan<byte> start)
    {
        string text = TextOf(start);
        return text.Length > 0 && IsPrintable(text) ? Quote(text) : null;
    }

    private static string TextOf(ReadOnlySpan<byte> start) =>
        Encoding.UTF8.GetString(start[..Math.Min(start.Length, InspectedLength)]).TrimStart('\uFEFF', ' ', '\t', '\r', '\n');

    private static bool IsPrintable(string text) => !text.Any(c => (char.IsControl(c) && !char.IsWhiteSpace(c)) || c == '\uFFFD');

    private static bool IsLfsPointer(string text) => text.StartsWith("version https://git-lfs", StringComparison.Ordinal);

    private static bool IsRefusal(string text) => Array.Exists(Refusals, refusal => text.StartsWith(refusal, StringComparison.OrdinalIgnoreCase));

    private static bool IsErrorBody(string text) =>
        text.StartsWith("<?xml", StringComparison.OrdinalIgnoreCase)
        || text.StartsWith("<!DOCTYPE", StringComparison.OrdinalIgnoreCase)
        || text.StartsWith("<html", StringComparison.OrdinalIgnoreCase)
        || text.StartsWith("<Error>", StringComparison.OrdinalIgnoreCase)
        || text.Contains("BlobNotFound", StringComparison.Ordinal);

    /// <summary>The first words, on one line and without control characters.</summary>
    private static string Quote(string text)
    {
        string line = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        string printable = string.Concat(line.Where(c => !char.IsControl(c)));
        return printable.Length <= QuotedLength ? printable : printable[..QuotedLength] + "…";
    }
}

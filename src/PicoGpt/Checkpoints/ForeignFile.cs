using System.Text;

namespace PicoGpt.Checkpoints;

/// <summary>
/// Recognizes what is often found in place of a model's file: a git-LFS pointer, or the error page of a server that was
/// saved under the file's name.
/// </summary>
public static class ForeignFile
{
    private const int InspectedLength = 512;
    private const int QuotedLength = 120;

    /// <summary>Throws if the file's first bytes show that it is not what its name says.</summary>
    /// <param name="path">An existing file.</param>
    /// <exception cref="Gpt2Exception">
    /// <see cref="Gpt2Error.LfsPointer"/> or <see cref="Gpt2Error.ErrorBody"/>; or the file cannot be opened.
    /// </exception>
    public static void ThrowIfForeign(string path)
    {
        using FileStream file = ReadableFile.Open(path);
        byte[] start = new byte[InspectedLength];
        int length = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        ThrowIfForeign(path, start.AsSpan(0, length));
    }

    /// <summary>Throws if a file's first bytes show that it is not what its name says.</summary>
    /// <param name="path">The file, for the sentence.</param>
    /// <param name="start">The file's first bytes; 512 are enough.</param>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.LfsPointer"/> or <see cref="Gpt2Error.ErrorBody"/>.</exception>
    public static void ThrowIfForeign(string path, ReadOnlySpan<byte> start)
    {
        string text = Encoding.UTF8.GetString(start[..Math.Min(start.Length, InspectedLength)]).TrimStart('\uFEFF', ' ', '\t', '\r', '\n');
        if (text.StartsWith("version https://git-lfs", StringComparison.Ordinal))
        {
            throw new Gpt2Exception(
                Gpt2Error.LfsPointer,
                $"'{path}' is a git-LFS pointer ({Quote(text)}), not the file itself; "
                    + "run 'git lfs pull' in its repository, or download the file.",
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

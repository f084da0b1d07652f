using System.Text;
using PicoGpt.Files;

namespace PicoGpt.PowerShell;

/// <summary>Reads files of text.</summary>
internal static class TextFile
{
    // A measure of a longer text would take gigabytes.
    private const int MaxCharacters = 64 << 20;
    private const int BufferSize = 1 << 16;

    /// <summary>The whole text of a file, which is in UTF-8 or begins with the byte order mark of another encoding of Unicode.</summary>
    /// <exception cref="Gpt2Exception">The file does not exist, cannot be read, is too long, or is not text.</exception>
    public static string Read(string path)
    {
        if (Directory.Exists(path)) throw new Gpt2Exception(Gpt2Error.FileNotFound, $"'{path}' is a folder; give the files in it.", path);
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var reader = new StreamReader(file, new UTF8Encoding(false, throwOnInvalidBytes: true));
            return Read(reader, path);
        }
        catch (DecoderFallbackException fault)
        {
            throw new Gpt2Exception(
                Gpt2Error.NotAFormat,
                $"'{path}' is not text in UTF-8; read it with Get-Content -Raw and its -Encoding, and pipe the text.",
                path,
                fault);
        }
        catch (Exception fault) when (FileSystemFacts.OfThisMachine.IsMissing(fault))
        {
            throw new Gpt2Exception(Gpt2Error.FileNotFound, $"There is no file '{path}'.", path, fault);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new Gpt2Exception(Gpt2Error.Unreadable, $"'{path}' cannot be read: {fault.Message}", path, fault);
        }
    }

    // What is not a file on a disk, such as a pipe, has no length.
    private static string Read(StreamReader reader, string path)
    {
        var text = new StringBuilder();
        char[] buffer = new char[BufferSize];
        for (int read = reader.Read(buffer); read > 0; read = reader.Read(buffer))
        {
            text.Append(buffer, 0, read);
            if (text.Length <= MaxCharacters) continue;
            throw new Gpt2Exception(
                Gpt2Error.Unsupported, $"'{path}' is longer than {MaxCharacters} characters; split it into several texts.", path);
        }

        return text.ToString();
    }
}

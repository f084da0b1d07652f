using System.Text;

namespace PicoGpt.Files;

/// <summary>Reads files that are small enough to be read at once.</summary>
internal static class SmallFile
{
    /// <summary>The bytes of a file; of a text in UTF-16 that begins with the mark of its byte order, the same text in UTF-8.</summary>
    /// <param name="path">The file.</param>
    /// <param name="maxLength">The most bytes that it may have.</param>
    /// <exception cref="Gpt2Exception">It is missing, cannot be read, is longer than it may be, or is something else altogether.</exception>
    public static byte[] Read(string path, int maxLength)
    {
        try
        {
            using FileStream file = ReadableFile.Open(path);
            if (file.Length > maxLength)
                throw new Gpt2Exception(Gpt2Error.NotAFormat, FormattableString.Invariant($"'{path}' has {file.Length:N0} bytes, where at most {maxLength:N0} are expected."), path);
            byte[] bytes = new byte[file.Length];
            file.ReadExactly(bytes);
            bytes = ToUtf8(bytes);
            ForeignFile.ThrowIfForeign(path, bytes);
            return bytes;
        }
        catch (IOException fault)
        {
            throw ReadableFile.Refused(path, fault);
        }
    }

    // As some editors and Windows PowerShell's > save a text.
    private static byte[] ToUtf8(byte[] bytes)
    {
        if (bytes is not ([0xFF, 0xFE, ..] or [0xFE, 0xFF, ..])) return bytes;
        try
        {
            return Encoding.UTF8.GetBytes(new UnicodeEncoding(bigEndian: bytes[0] == 0xFE, byteOrderMark: true, throwOnInvalidBytes: true).GetString(bytes.AsSpan(2)));
        }
        catch (DecoderFallbackException)
        {
            return bytes; // it is not text, as whoever reads it finds
        }
    }

    /// <summary>Where a text in UTF-8 begins: behind the mark of its byte order, if it has one.</summary>
    public static int StartOfText(ReadOnlySpan<byte> bytes) => bytes.StartsWith("\uFEFF"u8) ? 3 : 0;
}

namespace PicoGpt.Files;

/// <summary>Reads files that are small enough to be read at once.</summary>
internal static class SmallFile
{
    /// <summary>The bytes of a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="maxLength">The most bytes that it may have.</param>
    /// <exception cref="Gpt2Exception">It is missing, cannot be read, is longer than it may be, or is something else altogether.</exception>
    public static byte[] Read(string path, int maxLength)
    {
        try
        {
            using FileStream file = ReadableFile.Open(path);
            if (file.Length > maxLength)
                throw new Gpt2Exception(Gpt2Error.NotAFormat, $"'{path}' has {file.Length:N0} bytes, where at most {maxLength:N0} are expected.", path);
            byte[] bytes = new byte[file.Length];
            file.ReadExactly(bytes);
            ForeignFile.ThrowIfForeign(path, bytes);
            return bytes;
        }
        catch (IOException fault)
        {
            throw ReadableFile.Refused(path, fault);
        }
    }

    /// <summary>Where a text in UTF-8 begins: behind the mark of its byte order, if it has one.</summary>
    public static int StartOfText(ReadOnlySpan<byte> bytes) => bytes.StartsWith("\uFEFF"u8) ? 3 : 0;
}

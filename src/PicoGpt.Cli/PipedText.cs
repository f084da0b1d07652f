using System.Text;

namespace PicoGpt.Cli;

/// <summary>Text from another program or a file, which does not tell how it is encoded.</summary>
internal static class PipedText
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads all of it: as its byte order mark says; else as UTF-8, which PowerShell and most files are; else as the console has it.</summary>
    /// <param name="input">The bytes.</param>
    /// <param name="ofConsole">The console's encoding, in which Windows' own programs write: a code page of the country.</param>
    public static string Read(Stream input, Encoding ofConsole)
    {
        using var bytes = new MemoryStream();
        input.CopyTo(bytes);
        bytes.Position = 0;
        try
        {
            return new StreamReader(bytes, StrictUtf8).ReadToEnd();
        }
        catch (DecoderFallbackException)
        {
            return ofConsole.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
        }
    }
}

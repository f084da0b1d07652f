using System.Text.Json;

namespace PicoGpt.Files;

/// <summary>Reads small JSON files; what is wrong with them becomes a sentence.</summary>
internal static class JsonFile
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <exception cref="Gpt2Exception">The file cannot be read, is longer than it may be, or is no JSON.</exception>
    public static JsonDocument Parse(string path, int longest)
    {
        ForeignFile.ThrowIfForeign(path);
        using FileStream file = ReadableFile.Open(path);
        if (file.Length > longest)
            throw new Gpt2Exception(Gpt2Error.NotAFormat, $"'{path}' has {file.Length:N0} bytes, where {longest:N0} are the most expected.", path);
        try
        {
            byte[] json = new byte[file.Length];
            file.ReadExactly(json);
            return JsonDocument.Parse(json.AsMemory(json.AsSpan().StartsWith("\uFEFF"u8) ? 3 : 0), Strict);
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException) // the second of escapes that are no Unicode
        {
            string where = fault is JsonException { LineNumber: long line } ? $" (line {line + 1})" : "";
            throw new Gpt2Exception(Gpt2Error.NotAFormat, $"'{path}' is no valid JSON{where}; copy or download it again.", path, fault);
        }
        catch (IOException fault)
        {
            throw ReadableFile.Refused(path, fault);
        }
    }
}

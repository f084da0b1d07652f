using System.Text.Json;
using System.Text.Unicode;

namespace PicoGpt.Files;

/// <summary>Reads small JSON files; what is wrong with them becomes a sentence.</summary>
internal static class JsonFile
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <param name="path">The file.</param>
    /// <param name="maxLength">The most bytes that it may have.</param>
    /// <param name="expected">What it should be, for the sentence.</param>
    /// <exception cref="Gpt2Exception">The file cannot be read, is longer than it may be, or is not JSON.</exception>
    public static JsonDocument Parse(string path, int maxLength, string expected = "")
    {
        byte[] json = SmallFile.Read(path, maxLength);
        try
        {
            // The parser takes any bytes in a text, and throws when the text is looked at, be it for the sentence that refuses it.
            if (!Utf8.IsValid(json)) throw new JsonException("it is not UTF-8");
            return JsonDocument.Parse(json.AsMemory(SmallFile.StartOfText(json)), Strict);
        }
        catch (Exception fault) when (IsFault(fault))
        {
            string hint = expected.Length == 0 ? "" : $"; expected {expected}";
            throw Gpt2Exception.WithAdvice(Gpt2Error.NotAFormat, $"'{path}' is not valid JSON{LineOf(fault)}{hint}", Gpt2Exception.CopyAgain, path, fault);
        }
    }

    /// <summary>Whether an exception says that something is not JSON; escapes that are not Unicode raise another one.</summary>
    public static bool IsFault(Exception fault) => fault is JsonException or InvalidOperationException;

    /// <summary>The line of a fault, in words that follow the file's.</summary>
    public static string LineOf(Exception fault) => fault is JsonException { LineNumber: long line } ? $" (line {line + 1})" : "";
}

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
            throw Gpt2Exception.WithAdvice(Gpt2Error.NotAFormat, $"'{path}' {WhatIsWrong(json, fault)}{hint}", Gpt2Exception.CopyAgain, path, fault);
        }
    }

    /// <summary>Whether an exception says that something is not JSON; escapes that are not Unicode raise another one.</summary>
    public static bool IsFault(Exception fault) => fault is JsonException or InvalidOperationException;

    /// <summary>What a fault says of a file, in words that follow the file's name.</summary>
    /// <param name="json">What is in the file.</param>
    /// <param name="fault">What was thrown when that was parsed.</param>
    public static string WhatIsWrong(ReadOnlyMemory<byte> json, Exception fault)
    {
        ReadOnlyMemory<byte> text = json[SmallFile.StartOfText(json.Span)..];
        if (text.Span.Trim(" \t\r\n"u8).IsEmpty) return "is empty";
        if (TwiceIn(text) is { } name) return $"has the name '{Excerpt.Of(name)}' twice in one object";
        return fault is JsonException { LineNumber: long line, BytePositionInLine: long position } ? $"is not valid JSON (line {line + 1}, byte {position + 1})" : "is not valid JSON";
    }

    /// <summary>A name that an object of a JSON text has twice; <see langword="null"/> where none has, or it is not JSON.</summary>
    public static string? TwiceIn(ReadOnlyMemory<byte> text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return TwiceIn(document.RootElement);
        }
        catch (Exception fault) when (IsFault(fault))
        {
            return null;
        }
    }

    private static string? TwiceIn(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().CountBy(member => member.Name).FirstOrDefault(name => name.Value > 1).Key
            ?? value.EnumerateObject().Select(member => TwiceIn(member.Value)).FirstOrDefault(name => name is not null),
        JsonValueKind.Array => value.EnumerateArray().Select(TwiceIn).FirstOrDefault(name => name is not null),
        _ => null,
    };
}

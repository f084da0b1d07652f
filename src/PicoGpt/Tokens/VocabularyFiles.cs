using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using PicoGpt.Files;

namespace PicoGpt.Tokens;

/// <summary>Reads <c>encoder.json</c> and <c>vocab.bpe</c>, as bytes, so that no code page can come between.</summary>
internal static class VocabularyFiles
{
    // OpenAI's encoder.json has 1 MB.
    private const int MaxFileLength = 64 << 20;

    // What the usual files take at least, and how many tokens they have at most: tables for them need not grow.
    private const int BytesPerToken = 12, BytesPerMerge = 5, UsualCount = 50_500;

    // How many lines or tokens are read between two looks at whether they are wanted still.
    private const int Portion = 4096;

    private const string InCodePage = ", as when it was saved in another code page";

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The tokens' spellings and ids.</summary>
    /// <exception cref="Gpt2Exception">The file is missing, or is not a JSON object of ids by spelling.</exception>
    public static Dictionary<string, int> ReadEncoder(string path, CancellationToken cancellationToken = default)
    {
        byte[] json = Read(path);
        Dictionary<string, int> ids = new(Math.Min(json.Length / BytesPerToken, UsualCount));
        return TokenIdScanner.TryRead(json.AsSpan(SmallFile.StartOfText(json)), ids, cancellationToken) ? ids : ParseEncoder(json, path, cancellationToken);
    }

    /// <summary>The merges, in order.</summary>
    /// <exception cref="Gpt2Exception">The file is missing, or a line of it is not a merge.</exception>
    public static MergeTable ReadMerges(string path, CancellationToken cancellationToken = default)
    {
        byte[] bytes = Read(path);
        if (bytes.Length == 0)
            throw new Gpt2Exception(Gpt2Error.Truncated, $"'{path}' is empty, or is not a file but a pipe or a device; copy or download it again.", path);
        var merges = new MergeTable(Math.Min(bytes.Length / BytesPerMerge, UsualCount));
        return MergesScanner.TryRead(bytes.AsSpan(SmallFile.StartOfText(bytes)), merges, cancellationToken) ? merges : ParseMerges(bytes, path, cancellationToken);
    }

    /// <summary>The tokens' spellings and ids, in whatever form JSON has for them.</summary>
    /// <exception cref="Gpt2Exception">It is not a JSON object of ids by spelling.</exception>
    internal static Dictionary<string, int> ParseEncoder(byte[] json, string path, CancellationToken cancellationToken = default)
    {
        try
        {
            Dictionary<string, int> ids = [];
            Parse(new Utf8JsonReader(json.AsSpan(SmallFile.StartOfText(json))), ids, path, cancellationToken);
            return ids;
        }
        catch (Exception exception) when (JsonFile.IsFault(exception))
        {
            throw Bad(path, Utf8.IsValid(json) && !json.Contains((byte)0) ? JsonFile.WhatIsWrong(json, exception) : $"is not UTF-8{InCodePage}", exception);
        }
    }

    /// <summary>The merges, in order, in lines that end as any system's do.</summary>
    /// <exception cref="Gpt2Exception">A line is not a merge.</exception>
    internal static MergeTable ParseMerges(byte[] bytes, string path, CancellationToken cancellationToken = default)
    {
        string text = Decode(bytes, path);
        var merges = new MergeTable();
        int line = 0;
        int rank = 0;
        foreach (ReadOnlySpan<char> raw in text.AsSpan().EnumerateLines())
        {
            if (line++ % Portion == 0) cancellationToken.ThrowIfCancellationRequested();
            if (raw.IsEmpty || (line == 1 && raw.StartsWith("#version"))) continue;
            int space = raw.IndexOf(' ');
            if (space <= 0 || space == raw.Length - 1 || raw[(space + 1)..].Contains(' '))
                throw Bad(path, $"has '{Excerpt.Of(raw)}' in line {line}, where a merge of two symbols is expected");
            RequireSpelling(raw[..space], path, line);
            RequireSpelling(raw[(space + 1)..], path, line);
            merges.Add(raw[..space], raw[(space + 1)..], rank++);
        }

        return merges;
    }

    /// <summary>The spellings and ids as the file <c>encoder.json</c>.</summary>
    public static byte[] FormatEncoder(BytePairEncoder encoder)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            foreach ((int id, string symbol) in encoder.Symbols.OrderBy(pair => pair.Key)) json.WriteNumber(symbol, id);
            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    /// <summary>The merges as the file <c>vocab.bpe</c>.</summary>
    public static byte[] FormatMerges(BytePairEncoder encoder) =>
        Encoding.UTF8.GetBytes("#version: 0.2\n" + string.Concat(encoder.Merges.Select(merge => $"{merge.Left} {merge.Right}\n")));

    private static void Parse(Utf8JsonReader reader, Dictionary<string, int> ids, string path, CancellationToken cancellationToken)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) throw Bad(path, "does not begin with {");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (ids.Count % Portion == 0) cancellationToken.ThrowIfCancellationRequested();
            string symbol = reader.GetString()!;
            if (!reader.Read() || reader.TokenType != JsonTokenType.Number || !reader.TryGetInt32(out int id) || id < 0)
                throw Bad(path, $"gives '{Excerpt.Of(symbol)}' an id that is not a whole number from 0 on");
            if (!ids.TryAdd(symbol, id)) throw Bad(path, $"has the token '{Excerpt.Of(symbol)}' twice{InCodePage}");
        }

        if (reader.TokenType != JsonTokenType.EndObject || reader.Read()) throw Bad(path, "has something after its closing }");
        if (ids.Count == 0) throw Bad(path, "has no token");
    }

    private static void RequireSpelling(ReadOnlySpan<char> symbol, string path, int line)
    {
        foreach (char character in symbol)
        {
            if (!ByteAlphabet.TryGetByte(character, out _))
                throw Bad(path, $"has in line {line} the character U+{(int)character:X4}, which spells no byte in GPT-2's alphabet{InCodePage}");
        }
    }

    /// <summary>The bytes of one of the files.</summary>
    /// <exception cref="Gpt2Exception">The file is missing, cannot be read, or is something else.</exception>
    public static byte[] Read(string path)
    {
        try
        {
            return SmallFile.Read(path, MaxFileLength);
        }
        catch (Gpt2Exception exception) when (exception.Error == Gpt2Error.FileNotFound)
        {
            throw new Gpt2Exception(
                Gpt2Error.FileNotFound,
                $"The tokenizer's file '{path}' is missing{UnfinishedDownload.ClauseOf(path)};{VocabularyFormats.RenameClause(Path.GetDirectoryName(path)!, [Path.GetFileName(path)], ";")} "
                    + $"{Both(Path.GetFileName(path))} must both lie in the model's folder.",
                path,
                exception);
        }
    }

    private static string Both(string name) => name is "vocab.json" or "merges.txt" ? "vocab.json and merges.txt" : "encoder.json and vocab.bpe";

    private static string Decode(byte[] bytes, string path)
    {
        try
        {
            return StrictUtf8.GetString(bytes.AsSpan(SmallFile.StartOfText(bytes)));
        }
        catch (DecoderFallbackException exception)
        {
            throw Bad(path, $"is not UTF-8 (byte {exception.Index}){InCodePage}", exception);
        }
    }

    private static Gpt2Exception Bad(string path, string what, Exception? inner = null) => new(
        Gpt2Error.NotAFormat,
        $"'{path}' {what}; copy or download it again.",
        path,
        inner);
}

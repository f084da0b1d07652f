using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace PicoGpt.Tokens;

/// <summary>Writes what a tokenizer has beyond its vocabulary, as transformers writes and reads it.</summary>
internal static class AddedTokenWriter
{
    // Spellings such as <|SEP|> stand there as they are.
    private static readonly JsonWriterOptions Options = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The three files.</summary>
    /// <exception cref="Gpt2Exception">They have no place for the tokens that stand before every text.</exception>
    public static IReadOnlyList<(string Name, byte[] Content)> Files(BytePairEncoder tokenizer)
    {
        if (tokenizer.Prefix.Count > 1 || (tokenizer.Prefix is [int begin] && (tokenizer.IdOf(TokenRoles.Begin) ?? begin) != begin))
        {
            throw new Gpt2Exception(
                Gpt2Error.Unsupported,
                $"The vocabulary '{tokenizer.Location}' puts tokens before every text that are not its {TokenRoles.Begin}, which its files could not tell; "
                    + "export the weights alone, and copy the vocabulary's own files.",
                tokenizer.Location);
        }

        return
        [
            (AddedTokenFiles.AddedName, Json(json => WriteIds(json, tokenizer))),
            (AddedTokenFiles.SpecialName, Json(json => WriteRoles(json, tokenizer))),
            (AddedTokenFiles.ConfigName, Json(json => WriteConfig(json, tokenizer))),
        ];
    }

    private static void WriteIds(Utf8JsonWriter json, BytePairEncoder tokenizer)
    {
        foreach (AddedToken token in tokenizer.Added.Where(token => !tokenizer.IsOfVocabulary(token))) json.WriteNumber(token.Text, token.Id);
    }

    private static void WriteRoles(Utf8JsonWriter json, Tokenizer tokenizer)
    {
        foreach ((string role, string text) in tokenizer.Roles) json.WriteString(role, text);
        if (tokenizer.Prefix is [int begin] && tokenizer.IdOf(TokenRoles.Begin) is null) json.WriteString(TokenRoles.Begin, tokenizer.GetSymbol(begin));
        json.WriteStartArray(TokenRoles.Lists[0]);
        foreach (AddedToken token in tokenizer.Added.Where(token => token.IsSpecial && !tokenizer.Roles.Values.Contains(token.Text))) json.WriteStringValue(token.Text);
        json.WriteEndArray();
    }

    private static void WriteConfig(Utf8JsonWriter json, Tokenizer tokenizer)
    {
        json.WriteBoolean(AddedTokenFiles.AddBosToken, tokenizer.Prefix.Count > 0);
        json.WriteBoolean(AddedTokenFiles.AddPrefixSpace, tokenizer.AddPrefixSpace);
        json.WriteStartObject(AddedTokenFiles.Decoder);
        foreach (AddedToken token in tokenizer.Added)
        {
            json.WriteStartObject(token.Id.ToString(CultureInfo.InvariantCulture));
            json.WriteString("content", token.Text);
            json.WriteBoolean("lstrip", token.LStrip);
            json.WriteBoolean("normalized", token.Normalized);
            json.WriteBoolean("rstrip", token.RStrip);
            json.WriteBoolean("single_word", token.SingleWord);
            json.WriteBoolean("special", token.IsSpecial);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        WriteRoles(json, tokenizer);
        if (tokenizer.Added.Any(token => token.NeedsLeave && token.Text != Tokenizer.EndOfTextSymbol)) json.WriteBoolean(AddedTokenFiles.SplitSpecialTokens, true);
        json.WriteString(AddedTokenFiles.TokenizerClass, "GPT2Tokenizer");
    }

    private static byte[] Json(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, Options))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        stream.WriteByte((byte)'\n');
        return stream.ToArray();
    }
}

using System.Globalization;
using System.Text.Json;
using PicoGpt.Files;
using PicoGpt.Inference;
using PicoGpt.Pictures;

namespace PicoGpt.Tracing;

/// <summary>
/// Writes a trace as one HTML page that needs nothing else. Texts of tokens reach the page as JSON strings alone, in which every
/// character that HTML knows is escaped, and the page puts them into text nodes; its content security policy (W3C CSP3) lets nothing
/// run but the script that is named by its hash.
/// </summary>
internal static class TracePage
{
    /// <summary>The most that the attention of a page may take, in bytes.</summary>
    public const long MaxAttention = 96L << 20;

    /// <summary>The bytes that attention takes in a page: one a weight, and none for what is 0 by causality.</summary>
    public static long AttentionBytes(int layers, int heads, int tokens) => (long)layers * heads * ((long)tokens * (tokens + 1) / 2);

    /// <summary>Writes a page whole or not at all.</summary>
    /// <exception cref="Gpt2Exception">The file is there, cannot be written, or would be too large.</exception>
    public static void Save(Gpt2Trace trace, TraceAdditions additions, string path, bool overwrite)
    {
        Check(trace, additions.Before);
        OutputFile.Save(path, stream => Write(trace, additions, stream), overwrite);
    }

    /// <summary>Writes a page.</summary>
    public static void Write(Gpt2Trace trace, TraceAdditions additions, Stream stream) => PageTemplate.Write(
        stream,
        "Tracing.Page.trace",
        VisibleText.Of($"{trace.Model} reads {Count(trace.Tokens.Count, "token")}"),
        Facts(trace),
        () => WriteData(trace, additions, stream),
        GridJson.Drawing);

    private static void Check(Gpt2Trace trace, Gpt2Trace? before)
    {
        if (before is not null && (!before.Tokens.Select(token => token.Id).SequenceEqual(trace.Tokens.Select(token => token.Id)) || KeptBy(before) != KeptBy(trace)))
            throw new Gpt2Exception(Gpt2Error.InvalidArgument, "The two traces of a page are of different texts, or did not keep the same; trace one text twice.");
        if (trace.Attention is not null) CheckSize(trace.Layers.Count, trace.Heads.Count, trace.Tokens.Count, before is null ? 1 : 2);
    }

    private static string KeptBy(Gpt2Trace trace) =>
        $"{trace.Model} {string.Join(' ', trace.Layers)}, {string.Join(' ', trace.Heads)} {trace.Attention is null} {trace.LogitLens is null} {trace.ResidualNorms is null}";

    /// <exception cref="Gpt2Exception">The attention would make the page too large for a browser.</exception>
    public static void CheckSize(int layers, int heads, int tokens, int traces = 1)
    {
        long bytes = traces * AttentionBytes(layers, heads, tokens);
        if (bytes <= MaxAttention) return;
        throw new Gpt2Exception(
            Gpt2Error.InvalidArgument,
            $"A page with the attention of {(traces == 1 ? "" : "two traces, ")}{layers} layers and {heads} heads over {tokens} tokens would hold {bytes >> 20} MiB of it, more "
                + $"than the {MaxAttention >> 20} MiB that a browser shows well; choose fewer layers or heads.");
    }

    private static string Facts(Gpt2Trace trace)
    {
        List<string> facts = [];
        if (trace.Attention is not null || trace.LogitLens is not null) facts.Add(Count(trace.Layers.Count, "layer"));
        if (trace.Attention is not null) facts.Add(Count(trace.Heads.Count, "head"));
        return string.Join(" · ", facts);
    }

    private static string Count(int count, string word) =>
        string.Create(CultureInfo.InvariantCulture, $"{count} {word}{(count == 1 ? "" : "s")}");

    private static void WriteData(Gpt2Trace trace, TraceAdditions additions, Stream stream)
    {
        using var json = new Utf8JsonWriter(stream);
        json.WriteStartObject();
        WriteTokens(json, trace);
        WriteNumbers(json, "layers", trace.Layers);
        WriteNumbers(json, "heads", trace.Heads);
        json.WriteBoolean("says", trace.LogitLens?[^1] is not null);
        json.WriteStartArray("changes");
        foreach (ForwardChange change in trace.Interventions) json.WriteStringValue(VisibleText.Of($"{change}"));
        json.WriteEndArray();
        WriteSide(json, trace);
        if (additions.Before is { } before)
        {
            json.WriteStartObject("before");
            WriteSide(json, before);
            json.WriteEndObject();
        }

        json.WriteStartArray("grids");
        foreach (Gpt2GridPair pair in additions.Grids) GridJson.Write(json, pair.Grid, pair.Before);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteSide(Utf8JsonWriter json, Gpt2Trace trace)
    {
        if (trace.Attention is not null) json.WriteBase64String("attention", Bytes(trace));
        if (trace.LogitLens is not null) WriteLens(json, trace);
        if (trace.ResidualNorms is not null) WriteNorms(json, trace.ResidualNorms);
    }

    private static void WriteTokens(Utf8JsonWriter json, Gpt2Trace trace)
    {
        string[] texts = [.. trace.Tokens.Select(token => VisibleText.Of(token.Bytes.ToArray()))];
        json.WriteStartArray("tokens");
        foreach (string text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
        json.WriteStartArray("escaped");
        for (int i = 0; i < texts.Length; i++) json.WriteNumberValue(texts[i] == trace.Tokens[i].Text ? 0 : 1);
        json.WriteEndArray();
    }

    private static void WriteNumbers(Utf8JsonWriter json, string name, IEnumerable<int> numbers)
    {
        json.WriteStartArray(name);
        foreach (int number in numbers) json.WriteNumberValue(number);
        json.WriteEndArray();
    }

    // [layers][heads] lower triangles with their diagonals, row by row, 255 for 1
    private static byte[] Bytes(Gpt2Trace trace)
    {
        int n = trace.Tokens.Count;
        byte[] bytes = new byte[AttentionBytes(trace.Layers.Count, trace.Heads.Count, n)];
        int at = 0;
        foreach (float[,] pattern in trace.Patterns(layer: null, head: null))
        {
            for (int t = 0; t < n; t++)
            {
                for (int j = 0; j <= t; j++) bytes[at++] = ByteOf(pattern[t, j]);
            }
        }

        return bytes;
    }

    private static byte ByteOf(float weight) => float.IsFinite(weight) ? (byte)Math.Round(255 * Math.Clamp(weight, 0, 1)) : (byte)0;

    private static void WriteLens(Utf8JsonWriter json, Gpt2Trace trace)
    {
        Dictionary<int, int> places = []; // of ids among the texts
        List<string> texts = [];
        json.WriteStartObject("lens");
        json.WriteStartArray("rows");
        foreach (int layer in trace.Layers)
        {
            json.WriteStartArray();
            foreach (LensPrediction prediction in trace.LogitLens![layer]!) WritePrediction(json, prediction, places, texts);
            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WriteStartArray("texts");
        foreach (string text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WritePrediction(Utf8JsonWriter json, LensPrediction prediction, Dictionary<int, int> places, List<string> texts)
    {
        json.WriteStartObject();
        json.WriteStartArray("top");
        foreach (LensToken token in prediction.Top)
        {
            if (places.TryAdd(token.Id, texts.Count)) texts.Add(VisibleText.Of(token.Text));
            json.WriteStartArray();
            json.WriteNumberValue(places[token.Id]);
            WriteNumber(json, token.Probability, 5);
            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WritePropertyName("entropy");
        WriteNumber(json, prediction.Entropy, 2);
        if (prediction.NextProbability is { } next)
        {
            json.WritePropertyName("next");
            WriteNumber(json, next, 5);
            json.WriteNumber("rank", prediction.NextRank!.Value);
        }

        json.WriteEndObject();
    }

    private static void WriteNorms(Utf8JsonWriter json, IReadOnlyList<IReadOnlyList<double>> norms)
    {
        json.WriteStartArray("norms");
        foreach (IReadOnlyList<double> positions in norms)
        {
            json.WriteStartArray();
            foreach (double norm in positions) WriteNumber(json, norm, 3);
            json.WriteEndArray();
        }

        json.WriteEndArray();
    }

    // JSON has no word for what weights with NaN make of everything.
    private static void WriteNumber(Utf8JsonWriter json, double value, int digits) =>
        json.WriteNumberValue(double.IsFinite(value) ? Math.Round(value, digits) : 0);
}

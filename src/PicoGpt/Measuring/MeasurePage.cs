using System.Globalization;
using System.Text.Json;
using PicoGpt.Files;

namespace PicoGpt.Measuring;

/// <summary>
/// Writes measures as one HTML page that needs nothing else. Texts reach the page as JSON strings alone, and the page puts them into text
/// nodes.
/// </summary>
internal static class MeasurePage
{
    /// <summary>Writes a page.</summary>
    public static void Write(IReadOnlyList<Gpt2TextMeasure> measures, Stream stream)
    {
        string[] models = [.. measures.Select(measure => measure.Model).Distinct()];
        string texts = measures.Count == 1 ? "a text" : $"{measures.Count} texts";
        PageTemplate.Write(
            stream,
            "Measuring.Page.measure",
            VisibleText.Of($"{string.Join(", ", models)} reads {texts}"),
            measures.Count == 1 ? Totals(measures[0]) : "",
            () => WriteData(measures, stream));
    }

    private static string Totals(Gpt2TextMeasure measure) => measure.Perplexity is { } perplexity
        ? string.Create(
            CultureInfo.InvariantCulture, $"{measure.TokenCount} tokens · perplexity {perplexity:N2} · {measure.BitsPerToken:N2} bits per token")
        : "";

    private static void WriteData(IReadOnlyList<Gpt2TextMeasure> measures, Stream stream)
    {
        using var json = new Utf8JsonWriter(stream);
        json.WriteStartArray();
        foreach (Gpt2TextMeasure measure in measures)
        {
            json.WriteStartObject();
            json.WriteString("name", VisibleText.Of(measure.Path is null ? "" : Path.GetFileName(measure.Path)));
            json.WriteString("totals", Totals(measure));
            json.WriteStartArray("tokens");
            foreach (Gpt2TokenMeasure token in measure.Tokens) WriteToken(json, measure.Text, token);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    // The characters that begin in it, as they stand in the text; by itself where none does.
    private static void WriteToken(Utf8JsonWriter json, string text, Gpt2TokenMeasure token)
    {
        json.WriteStartArray();
        json.WriteStringValue(token.Length == 0 ? "" : Shown(text, token.Start, token.Length));
        json.WriteStringValue(VisibleText.Of(token.Text));
        PageTemplate.WriteNumber(json, token.Surprisal, digits: 2);
        PageTemplate.WriteNumber(json, token.Probability, digits: 5);
        PageTemplate.WriteNumber(json, token.Rank, digits: 0);
        PageTemplate.WriteNumber(json, token.Entropy, digits: 2);
        json.WriteStartArray();
        foreach (Inference.TokenAlternative other in token.Top)
        {
            json.WriteStartArray();
            json.WriteStringValue(VisibleText.Of(other.Text));
            PageTemplate.WriteNumber(json, other.Probability, digits: 5);
            json.WriteBooleanValue(other.Id == token.Id);
            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WriteEndArray();
    }

    // Line ends stay, which the page shows as such; what could harm it is spelled out.
    private static string Shown(string text, int start, int length) => VisibleText.Spell(text, start, length, rune => rune.Value switch
    {
        '\n' => "\n",
        '\r' => "",
        _ => VisibleText.Of(rune.ToString()),
    });
}

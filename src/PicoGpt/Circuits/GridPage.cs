using System.Text.Json;
using PicoGpt.Files;

namespace PicoGpt.Circuits;

/// <summary>Writes a grid as one HTML page that needs nothing else: a table that can be pointed at and walked through with the keys.</summary>
internal static class GridPage
{
    /// <summary>Writes a page.</summary>
    public static void Write(Gpt2Grid grid, Stream stream) => PageTemplate.Write(
        stream, "Circuits.Page.grid", VisibleText.Of(grid.Title), VisibleText.Of(grid.Model), () => WriteData(grid, stream));

    private static void WriteData(Gpt2Grid grid, Stream stream)
    {
        using var json = new Utf8JsonWriter(stream);
        json.WriteStartObject();
        json.WriteString("description", VisibleText.Of(grid.Description));
        json.WriteString("rowName", grid.RowName);
        json.WriteString("columnName", grid.ColumnName);
        WriteTexts(json, "rows", grid.RowLabels);
        WriteTexts(json, "columns", grid.ColumnLabels);
        json.WriteStartArray("values");
        foreach (IReadOnlyList<double> row in grid.Values)
        {
            json.WriteStartArray();
            foreach (double value in row) PageTemplate.WriteNumber(json, value, digits: 5);
            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WriteStartArray("others");
        foreach ((string name, double value) in grid.Others)
        {
            json.WriteStartArray();
            json.WriteStringValue(VisibleText.Of(name));
            PageTemplate.WriteNumber(json, value, digits: 5);
            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, IReadOnlyList<string> texts)
    {
        json.WriteStartArray(name);
        foreach (string text in texts) json.WriteStringValue(VisibleText.Of(text));
        json.WriteEndArray();
    }
}

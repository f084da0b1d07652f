using System.Text.Json;
using PicoGpt.Files;

namespace PicoGpt.Pictures;

/// <summary>Grids as the data of pages, which <c>Pictures/Page/table.js</c> draws.</summary>
internal static class GridJson
{
    /// <summary>The name of the style and the script that draw grids.</summary>
    public const string Drawing = "Pictures.Page.table";

    /// <summary>Writes a grid as an object, and the numbers of the one before into it.</summary>
    public static void Write(Utf8JsonWriter json, Gpt2Grid grid, Gpt2Grid? before = null)
    {
        json.WriteStartObject();
        json.WriteString("title", VisibleText.Of(grid.Title));
        json.WriteString("description", VisibleText.Of(grid.Description));
        json.WriteString("rowName", grid.RowName);
        json.WriteString("columnName", grid.ColumnName);
        WriteTexts(json, "rows", grid.RowLabels);
        WriteTexts(json, "columns", grid.ColumnLabels);
        WriteNumbers(json, grid);
        if (before is not null)
        {
            json.WriteStartObject("before");
            WriteNumbers(json, before);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void WriteNumbers(Utf8JsonWriter json, Gpt2Grid grid)
    {
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
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, IReadOnlyList<string> texts)
    {
        json.WriteStartArray(name);
        foreach (string text in texts) json.WriteStringValue(VisibleText.Of(text));
        json.WriteEndArray();
    }
}

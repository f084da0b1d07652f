using System.Text.Json;
using PicoGpt.Files;

namespace PicoGpt.Pictures;

/// <summary>Writes a grid as one HTML page that needs nothing else: a table that can be pointed at and walked through with the keys.</summary>
internal static class GridPage
{
    /// <summary>Writes a page.</summary>
    public static void Write(Gpt2Grid grid, Stream stream) => PageTemplate.Write(
        stream, "Pictures.Page.grid", VisibleText.Of(grid.Title), VisibleText.Of(grid.Model), () => WriteData(grid, stream), GridJson.Drawing);

    private static void WriteData(Gpt2Grid grid, Stream stream)
    {
        using var json = new Utf8JsonWriter(stream);
        GridJson.Write(json, grid);
    }
}

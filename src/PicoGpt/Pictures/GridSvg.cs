using System.Globalization;
using System.Text;
using PicoGpt.Files;

namespace PicoGpt.Pictures;

/// <summary>A grid as SVG (W3C, "Scalable Vector Graphics 2"): every cell tells its numbers on hover, and names stand at rows and columns.</summary>
internal static class GridSvg
{
    private const int Left = 110, Cell = 26, Margin = 20, LongestLabel = 14, CaptionWidth = 100, Line = 18;

    private const string Style = "text{font:13px sans-serif;fill:#222;white-space:pre}.b{fill:#fff}.t{font-weight:bold;font-size:15px}.e{text-anchor:end}";

    /// <summary>The picture.</summary>
    public static string Of(Gpt2Grid grid)
    {
        int width = grid.ColumnLabels.Count * Cell, height = grid.RowLabels.Count * Cell;
        string[] columns = [.. grid.ColumnLabels.Select(Short)];
        int top = 48 + (6 * columns.Max(label => label.Length)); // the names of the columns stand aslant
        var svg = new StringBuilder();
        svg.Append(Text(Margin, 26, grid.Title, "t"));
        for (int i = 0; i < grid.ColumnLabels.Count; i++)
        {
            int x = Left + (i * Cell) + (Cell / 2) + 4;
            svg.Append(Text(x, top - 6, columns[i], "", FormattableString.Invariant($"transform=\"rotate(-45 {x} {top - 6})\"")));
        }

        for (int row = 0; row < grid.RowLabels.Count; row++)
            svg.Append(Text(Left - 8, top + (row * Cell) + 17, Short(grid.RowLabels[row]), "e"));
        double limit = grid.Limit;
        foreach (Gpt2GridCell cell in grid.Cells)
        {
            Rgb colour = DivergingColors.Of(limit > 0 && double.IsFinite(cell.Value) ? cell.Value / limit : 0);
            svg.Append(CultureInfo.InvariantCulture, $"<rect x=\"{Left + (cell.Column * Cell)}\" y=\"{top + (cell.Row * Cell)}\" ");
            svg.Append(CultureInfo.InvariantCulture, $"width=\"{Cell - 1}\" height=\"{Cell - 1}\" fill=\"{colour}\">");
            svg.Append(CultureInfo.InvariantCulture, $"<title>{Svg.Escape(VisibleText.Of(cell.ToString()))}</title></rect>\n");
        }

        double bottom = top + height + 26;
        string others = string.Join(", ", grid.Others.Select(other => string.Create(CultureInfo.InvariantCulture, $"{other.Key} {other.Value:0.###}")));
        string[] lines = [.. TextLines.Wrap($"{grid.Model}: {grid.Description} The colours end at ±{limit.ToString("0.###", CultureInfo.InvariantCulture)}.", CaptionWidth), .. TextLines.Wrap(others, CaptionWidth)];
        for (int i = 0; i < lines.Length; i++) svg.Append(Text(Margin, bottom + (i * Line), lines[i]));
        return Svg.Document(
            Math.Max(Left + width + 60, 720), bottom + (lines.Length * Line) + Margin, VisibleText.Of(grid.Title), VisibleText.Of(grid.Description), Style, svg);
    }

    // Labels are tokens as they stand in the text.
    private static string Text(double x, double y, string text, string kind = "", string attributes = "") =>
        Svg.Text(x, y, VisibleText.Of(text), kind, attributes);

    private static string Short(string label)
    {
        var visible = new StringInfo(VisibleText.Of(label));
        return visible.LengthInTextElements <= LongestLabel ? visible.String : $"{visible.SubstringByTextElements(0, LongestLabel - 1)}…";
    }
}

using System.Globalization;
using System.Security;
using System.Text;

namespace PicoGpt.Pictures;

/// <summary>A grid as SVG (W3C, "Scalable Vector Graphics 2"): every cell tells its numbers on hover, and names stand at rows and columns.</summary>
internal static class GridSvg
{
    private const int Left = 110, Top = 84, Cell = 26, Margin = 20, LongestLabel = 14, CaptionWidth = 100, Line = 18;

    /// <summary>The picture.</summary>
    public static string Of(Gpt2Grid grid)
    {
        int width = grid.ColumnLabels.Count * Cell, height = grid.RowLabels.Count * Cell;
        var svg = new StringBuilder();
        svg.Append(Text(Margin, 26, grid.Title, "class=\"t\""));
        for (int i = 0; i < grid.ColumnLabels.Count; i++)
        {
            int x = Left + (i * Cell) + (Cell / 2) + 4;
            svg.Append(Text(x, Top - 6, Short(grid.ColumnLabels[i]), FormattableString.Invariant($"transform=\"rotate(-45 {x} {Top - 6})\"")));
        }

        for (int row = 0; row < grid.RowLabels.Count; row++)
            svg.Append(Text(Left - 8, Top + (row * Cell) + 17, Short(grid.RowLabels[row]), "class=\"e\""));
        double limit = grid.Limit;
        foreach (Gpt2GridCell cell in grid.Cells)
        {
            Rgb colour = DivergingColors.Of(limit > 0 && double.IsFinite(cell.Value) ? cell.Value / limit : 0);
            svg.Append(CultureInfo.InvariantCulture, $"<rect x=\"{Left + (cell.Column * Cell)}\" y=\"{Top + (cell.Row * Cell)}\" ");
            svg.Append(CultureInfo.InvariantCulture, $"width=\"{Cell - 1}\" height=\"{Cell - 1}\" fill=\"{colour}\">");
            svg.Append(CultureInfo.InvariantCulture, $"<title>{Escape(cell.ToString())}</title></rect>\n");
        }

        double bottom = Top + height + 26;
        string others = string.Join(", ", grid.Others.Select(other => string.Create(CultureInfo.InvariantCulture, $"{other.Key} {other.Value:0.###}")));
        string[] lines = [.. TextLines.Wrap($"{grid.Model}: {grid.Description} The colours end at ±{limit.ToString("0.###", CultureInfo.InvariantCulture)}.", CaptionWidth), .. TextLines.Wrap(others, CaptionWidth)];
        for (int i = 0; i < lines.Length; i++) svg.Append(Text(Margin, bottom + (i * Line), lines[i], ""));
        return Document(Math.Max(Left + width + 60, 720), bottom + (lines.Length * Line) + Margin, grid, svg);
    }

    private static string Document(double width, double height, Gpt2Grid grid, StringBuilder content) => FormattableString.Invariant(
        $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:0}\" height=\"{height:0}\" viewBox=\"0 0 {width:0} {height:0}\" role=\"img\">\n")
        + $"<title>{Escape(grid.Title)}</title>\n<desc>{Escape(grid.Description)}</desc>\n"
        + "<style>text{font:13px sans-serif;fill:#222;white-space:pre}.t{font-weight:bold;font-size:15px}.e{text-anchor:end}</style>\n"
        + $"<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{content}</svg>\n";

    private static string Text(double x, double y, string text, string attributes) =>
        string.Create(CultureInfo.InvariantCulture, $"<text x=\"{x:0.##}\" y=\"{y:0.##}\" {attributes}>{Escape(text)}</text>\n");

    private static string Short(string label)
    {
        string visible = VisibleText.Of(label);
        return visible.Length <= LongestLabel ? visible : $"{visible[..(LongestLabel - 1)]}…";
    }

    // XML has no control characters, and half a surrogate pair is none of its characters either.
    private static string Escape(string text) =>
        SecurityElement.Escape(string.Concat(VisibleText.Of(text).Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '\ufffd' : c)));
}

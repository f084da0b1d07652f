using System.ComponentModel;
using System.Globalization;
using System.Management.Automation;

namespace PicoGpt.PowerShell;

/// <summary>
/// Draws grids for the format view: numbers on colours where there is room, else a cell of two characters, whose shade and sign are left
/// where PowerShell takes the colours away. A grid that is too wide is turned.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class GridView
{
    private const int LabelWidth = 13, CellWidth = 7, NarrowWidth = 2, LeastWidth = 40;

    private static readonly char[] Shades = [' ', '░', '▒', '▓', '█'];
    private static readonly (int R, int G, int B) Dark = (22, 27, 38), More = (37, 99, 235), Less = (194, 65, 12);

    /// <summary>The grid as lines.</summary>
    /// <param name="grid">The grid, from here or from another session.</param>
    /// <param name="width">Columns of the screen.</param>
    /// <returns>Lines.</returns>
    public static string[] Draw(PSObject grid, int width)
    {
        ArgumentNullException.ThrowIfNull(grid);
        width = Math.Max(width, LeastWidth);
        string[] rows = Labels(grid, "RowLabels"), columns = Labels(grid, "ColumnLabels");
        double[][] values = [.. ObjectReader.Items(grid, "Values").Select(row => ObjectReader.Items(row).Select(ObjectReader.Number).ToArray())];
        int room = (width - LabelWidth - 1) / CellWidth;
        if (columns.Length > room && rows.Length < columns.Length)
        {
            (rows, columns) = (columns, rows);
            values = [.. Enumerable.Range(0, rows.Length).Select(i => values.Select(row => row[i]).ToArray())];
        }

        var lines = new List<string> { Format.Visible($"{grid.Properties["Model"]?.Value}: {ObjectReader.Text(grid, "Title")}"), "" };
        bool isWide = columns.Length <= room;
        int shown = isWide ? columns.Length : Math.Min(columns.Length, (width - LabelWidth - 1) / NarrowWidth);
        double limit = values.SelectMany(row => row).Where(double.IsFinite).Select(Math.Abs).DefaultIfEmpty(0).Max();
        if (isWide) lines.Add($"{new string(' ', LabelWidth)} {string.Concat(columns.Select(Head))}".TrimEnd());
        else lines.Add($"{new string(' ', LabelWidth)} {columns[0]} to {columns[shown - 1]}");
        for (int row = 0; row < rows.Length; row++)
        {
            IEnumerable<string> cells = values[row].Take(shown).Select(value => isWide ? Wide(value, limit) : Narrow(value, limit));
            lines.Add($"{ScreenText.Fit(rows[row], LabelWidth)} {string.Concat(cells)}");
        }

        if (shown < columns.Length) lines.Add($"The first {shown} of {columns.Length} columns; -Html shows all.");
        string[] others = [.. ObjectReader.Items(grid, "Others").Select(other => $"{ObjectReader.Text(other, "Key")} {Text(ObjectReader.Number(other, "Value") ?? 0)}")];
        if (others.Length > 0) lines.AddRange(["", string.Join(", ", others)]);
        return [.. lines];
    }

    private static string[] Labels(PSObject grid, string property) =>
        [.. ObjectReader.Items(grid, property).Select(label => Format.Visible($"{label}"))];

    private static string Head(string label) => $"{ScreenText.Fit(label.Trim(), CellWidth - 1)} ";

    private static string Wide(double value, double limit)
    {
        string text = Text(value).PadLeft(CellWidth - 1);
        return $"\e[38;2;240;245;245m{ScreenText.Background(Colour(value, limit))}{text}{ScreenText.Reset} ";
    }

    private static string Narrow(double value, double limit)
    {
        (int r, int g, int b) = Colour(value, limit);
        char shade = Shades[(int)Math.Round(Share(value, limit) * (Shades.Length - 1))];
        string sign = value < 0 && shade != ' ' ? "-" : shade.ToString();
        return string.Create(CultureInfo.InvariantCulture, $"\e[38;2;{r};{g};{b};48;2;{r};{g};{b}m{shade}{sign}{ScreenText.Reset}");
    }

    private static double Share(double value, double limit) => limit > 0 && double.IsFinite(value) ? Math.Pow(Math.Abs(value) / limit, 0.6) : 0;

    private static (int R, int G, int B) Colour(double value, double limit) => ScreenText.Mix(Dark, value < 0 ? Less : More, Share(value, limit));

    private static string Text(double value) => Math.Abs(value) < 0.005 ? "0.00" : value.ToString(Math.Abs(value) < 100 ? "0.00" : "0", CultureInfo.InvariantCulture);
}

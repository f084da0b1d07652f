using System.Globalization;
using System.Text;
using PicoGpt.Weights;

namespace PicoGpt.Pictures;

/// <summary>
/// Pictures as lines for a terminal with 24-bit colour. Every cell has the colour of its value and, in the same colour and so not seen,
/// a character that is as dark as the value is great: where the colours are taken away, in a file or by NO_COLOR, the picture is
/// still there.
/// </summary>
internal static class TerminalPicture
{
    private const string Positive = " ░▒▓█";
    private const string Negative = " ·-=≡";
    private const string Eighths = " ▏▎▍▌▋▊▉█";
    private const string Reset = "\e[0m";
    private const int MaxLinesOfLargeCells = 24;
    private const int LegendSteps = 8;

    /// <summary>A heatmap, with its title above and its legend below.</summary>
    /// <param name="map">The heatmap.</param>
    /// <param name="width">The columns there are.</param>
    public static List<string> Lines(Heatmap map, int width)
    {
        // Characters are about twice as high as wide.
        int down = map.Rows * 2 <= MaxLinesOfLargeCells && width / map.Columns >= 4 ? 2 : 1;
        int across = Math.Clamp(width / map.Columns, 1, 2 * down);
        List<string> lines = [map.Title];
        for (int row = 0; row < map.Rows; row++)
        {
            string line = Row(Enumerable.Range(0, map.Columns).Select(column => map.Level(row, column)), across);
            lines.AddRange(Enumerable.Repeat(line, down));
        }

        string legend = Row(Enumerable.Range(-LegendSteps, (2 * LegendSteps) + 1).Select(step => (double)step / LegendSteps), 1);
        lines.Add($"{Heatmap.Number(-map.Limit)} {legend} {Heatmap.Number(map.Limit)}");
        lines.AddRange(TextLines.Wrap(map.Caption, width));
        return lines;
    }

    /// <summary>A histogram, one line a bin: where it begins, a bar, and its count.</summary>
    /// <param name="chart">The histogram.</param>
    /// <param name="width">The columns there are.</param>
    public static List<string> Lines(HistogramChart chart, int width)
    {
        List<string> lines = [chart.Title];
        string[] edges = [.. chart.Bins.Select(bin => bin.Lower.ToString("G6", CultureInfo.InvariantCulture))];
        int edgeWidth = edges.Max(edge => edge.Length), countWidth = chart.MaxCount.ToString(CultureInfo.InvariantCulture).Length;
        int barWidth = Math.Max(width - edgeWidth - countWidth - 2, 8);
        for (int i = 0; i < chart.Bins.Count; i++)
        {
            HistogramBin bin = chart.Bins[i];
            string bar = Bar((double)bin.Count / chart.MaxCount, barWidth);
            string colored = bar.Length == 0 ? "" : $"{Foreground(chart.ColorOf(bin))}{bar}{Reset}";
            lines.Add($"{edges[i].PadLeft(edgeWidth)} {bin.Count.ToString(CultureInfo.InvariantCulture).PadLeft(countWidth)} {colored}");
        }

        lines.AddRange(TextLines.Wrap(chart.Caption, width));
        return lines;
    }

    private static string Row(IEnumerable<double> levels, int across)
    {
        var line = new StringBuilder();
        Rgb? last = null;
        foreach (double level in levels)
        {
            Rgb color = DivergingColors.Of(level);
            if (color != last)
                line.Append(Foreground(color)).Append(CultureInfo.InvariantCulture, $"\e[48;2;{color.R};{color.G};{color.B}m");
            line.Append(Shade(level), across);
            last = color;
        }

        return line.Append(Reset).ToString();
    }

    private static char Shade(double level)
    {
        if (double.IsNaN(level)) return '?';
        string shades = level < 0 ? Negative : Positive;
        return shades[(int)Math.Round(Math.Abs(level) * (shades.Length - 1))];
    }

    /// <summary>A bar of eighths of characters; what is more than nothing has one.</summary>
    /// <param name="share">How full it is, from 0 to 1.</param>
    /// <param name="width">The characters of a full one.</param>
    public static string Bar(double share, int width)
    {
        int eighths = share == 0 ? 0 : Math.Max((int)Math.Round(share * width * 8), 1);
        return new string('█', eighths / 8) + (eighths % 8 == 0 ? "" : Eighths[eighths % 8]);
    }

    private static string Foreground(Rgb color) => string.Create(CultureInfo.InvariantCulture, $"\e[38;2;{color.R};{color.G};{color.B}m");
}

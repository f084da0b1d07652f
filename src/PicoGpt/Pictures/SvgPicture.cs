using System.Globalization;
using System.Text;
using PicoGpt.Files;
using PicoGpt.Weights;

namespace PicoGpt.Pictures;

/// <summary>Pictures as SVG, with title, scale and caption in letters (W3C, "Scalable Vector Graphics 2").</summary>
internal static class SvgPicture
{
    private const int Margin = 24;
    private const int LeftMargin = 64;
    private const int TopMargin = 48;
    private const int ChartWidth = 720;
    private const int ChartHeight = 360;
    private const int MinHeight = 32;
    private const int LegendWidth = 240;
    private const int CaptionWidth = 110;
    private const int LineHeight = 18;
    private const int MaxTicks = 8;

    private const string Style =
        "text{font:13px sans-serif;fill:#222}.b{fill:#fff}.t{font-weight:bold;font-size:15px}.e{text-anchor:end}.m{text-anchor:middle}line,.f{stroke:#666;fill:none}";

    /// <summary>A heatmap: the cells as an embedded image, rows and columns numbered at their ends, a scale of colours.</summary>
    public static string Of(Heatmap map)
    {
        double cell = Math.Min((double)ChartWidth / map.Columns, 16);
        double width = cell * map.Columns, height = Math.Clamp(cell * map.Rows, MinHeight, ChartWidth);
        double legend = TopMargin + height + 40;
        var svg = new StringBuilder();
        svg.Append(Svg.Text(LeftMargin, 28, map.Title, "t"));
        string image = Convert.ToBase64String(ImagePicture.PngToScale(map, 2 * ChartWidth));
        svg.Append(Invariant($"<image x=\"{LeftMargin}\" y=\"{TopMargin}\" width=\"{width:0.##}\" height=\"{height:0.##}\" "));
        svg.Append(Invariant($"preserveAspectRatio=\"none\" style=\"image-rendering:pixelated\" "));
        svg.Append(Invariant($"href=\"data:image/png;base64,{image}\"><title>{Svg.Escape(map.Caption)}</title></image>\n"));
        svg.Append(Frame(width, height));
        svg.Append(Svg.Text(LeftMargin - 6, TopMargin + 12, "0", "e"));
        if (map.SourceRows > 1 && height > 2 * LineHeight)
            svg.Append(Svg.Text(LeftMargin - 6, TopMargin + height, Invariant($"{map.SourceRows - 1}"), "e"));
        svg.Append(Svg.Text(LeftMargin, TopMargin + height + 16, "0"));
        if (map.SourceColumns > 1 && width > 2 * LineHeight)
            svg.Append(Svg.Text(LeftMargin + width, TopMargin + height + 16, Invariant($"{map.SourceColumns - 1}"), "e"));
        svg.Append(Legend(map, legend));
        return Document(width, legend + 34, map.Title, map.Caption, svg);
    }

    /// <summary>A histogram: upright bars, which tell their bounds and count on hover, over an axis with numbers.</summary>
    public static string Of(HistogramChart chart)
    {
        double barWidth = (double)ChartWidth / chart.Bins.Count, floor = TopMargin + ChartHeight;
        var svg = new StringBuilder();
        svg.Append(Svg.Text(LeftMargin, 28, chart.Title, "t"));
        svg.Append(Svg.Text(LeftMargin - 6, TopMargin + 10, Invariant($"{chart.MaxCount}"), "e"));
        svg.Append(Svg.Text(LeftMargin - 6, floor, "0", "e"));
        for (int i = 0; i < chart.Bins.Count; i++)
        {
            HistogramBin bin = chart.Bins[i];
            double height = bin.Count == 0 ? 0 : Math.Max((double)bin.Count / chart.MaxCount * ChartHeight, 0.5);
            svg.Append(Invariant($"<rect x=\"{LeftMargin + (i * barWidth):0.###}\" y=\"{floor - height:0.##}\" "));
            svg.Append(Invariant($"width=\"{barWidth:0.###}\" height=\"{height:0.##}\" "));
            svg.Append(Invariant($"fill=\"{chart.ColorOf(bin)}\"><title>{bin.Lower:G6} to {bin.Upper:G6}: {bin.Count}</title></rect>\n"));
        }

        svg.Append(Frame(ChartWidth, ChartHeight));
        int step = 1; // a power of two, as the width of a bin is: the numbers are short
        while (chart.Bins.Count / step > MaxTicks) step *= 2;
        for (int i = 0; i <= chart.Bins.Count; i++)
        {
            if (((chart.Bins[0].Lower / chart.Bins.BinWidth) + i) % step != 0) continue;
            double x = LeftMargin + (i * barWidth), edge = i == chart.Bins.Count ? chart.Bins[^1].Upper : chart.Bins[i].Lower;
            svg.Append(Invariant($"<line x1=\"{x:0.##}\" y1=\"{floor}\" x2=\"{x:0.##}\" y2=\"{floor + 5}\"/>\n"));
            svg.Append(Svg.Text(x, floor + 18, edge.ToString("G6", CultureInfo.InvariantCulture), "m"));
        }

        return Document(ChartWidth, floor + 34, chart.Title, chart.Caption, svg);
    }

    private static string Legend(Heatmap map, double y)
    {
        const int Stops = 16;
        var svg = new StringBuilder("<defs><linearGradient id=\"scale\">");
        for (int i = 0; i <= Stops; i++)
            svg.Append(Invariant($"<stop offset=\"{(double)i / Stops}\" stop-color=\"{DivergingColors.Of((2.0 * i / Stops) - 1)}\"/>"));
        svg.Append("</linearGradient></defs>\n");
        svg.Append(Invariant($"<rect x=\"{LeftMargin}\" y=\"{y}\" width=\"{LegendWidth}\" height=\"10\" fill=\"url(#scale)\"/>\n"));
        svg.Append(Svg.Text(LeftMargin, y + 24, Heatmap.Number(-map.Limit)));
        svg.Append(Svg.Text(LeftMargin + (LegendWidth / 2.0), y + 24, "0", "m"));
        return svg.Append(Svg.Text(LeftMargin + LegendWidth, y + 24, Heatmap.Number(map.Limit), "e")).ToString();
    }

    private static string Document(double chartWidth, double captionTop, string title, string caption, StringBuilder content)
    {
        string[] lines = [.. TextLines.Wrap(caption, CaptionWidth)];
        for (int i = 0; i < lines.Length; i++) content.Append(Svg.Text(LeftMargin, captionTop + ((i + 1) * LineHeight), lines[i]));
        double width = LeftMargin + Math.Max(chartWidth, ChartWidth) + Margin, height = captionTop + (lines.Length * LineHeight) + Margin;
        return Svg.Document(width, height, title, caption, Style, content);
    }

    private static string Frame(double width, double height) =>
        Invariant($"<rect class=\"f\" x=\"{LeftMargin}\" y=\"{TopMargin}\" width=\"{width:0.##}\" height=\"{height:0.##}\"/>\n");

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}

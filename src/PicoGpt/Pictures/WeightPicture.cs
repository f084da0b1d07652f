using System.Text.RegularExpressions;
using PicoGpt.Weights;

namespace PicoGpt.Pictures;

/// <summary>A picture of a weight for a terminal.</summary>
public sealed partial class WeightPicture
{
    private WeightPicture(string name, string caption, List<string> lines) => (Name, Caption, Lines) = (name, caption, lines);

    /// <summary>The name of what it shows.</summary>
    public string Name { get; }

    /// <summary>How to read it.</summary>
    public string Caption { get; }

    /// <summary>Its lines, coloured by escape sequences; without those, characters tell magnitude and sign.</summary>
    public IReadOnlyList<string> Lines { get; }

    /// <summary>The lines without colours.</summary>
    public override string ToString() => Escapes().Replace(string.Join(Environment.NewLine, Lines), "");

    internal static WeightPicture Of(FloatTensor tensor, Heatmap map, int width) =>
        new(tensor.Name, map.Caption, TerminalPicture.Lines(map, width));

    internal static WeightPicture Of(FloatTensor tensor, HistogramChart chart, int width) =>
        new(tensor.Name, chart.Caption, TerminalPicture.Lines(chart, width));

    [GeneratedRegex(@"\e\[[\d;]*m")]
    private static partial Regex Escapes();
}

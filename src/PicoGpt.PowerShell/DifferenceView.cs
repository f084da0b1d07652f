using System.ComponentModel;
using System.Globalization;
using System.Management.Automation;

namespace PicoGpt.PowerShell;

/// <summary>
/// Draws comparisons of models for the format views: a text, each token on a colour that tells how much more or less it surprises one model
/// than the other.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class DifferenceView
{
    private const int Named = 5; // of the parts that differ most
    private const double MaxBits = 6, Some = 1, Much = 3;

    // Blue where the model predicts better than its reference, orange where it does worse; nothing between.
    private static readonly (int R, int G, int B) Dark = (22, 27, 38), Better = (37, 99, 235), Worse = (194, 65, 12), Light = (240, 245, 245);

    /// <summary>Which models are compared, and what the colours or marks mean.</summary>
    /// <param name="difference">A comparison, from here or from another session.</param>
    /// <param name="hasMarks">Whether marks tell it, where colours do not arrive.</param>
    /// <returns>Such as <c>3M -> mine, change of surprisal in bits: ▼ -3  ▾ -1  ▴ +1  ▲ +3</c>.</returns>
    public static string Legend(PSObject difference, bool hasMarks)
    {
        ArgumentNullException.ThrowIfNull(difference);
        string models = $"{Models(difference)}, change of surprisal in bits: ";
        if (hasMarks) return $"{models}▼ -3  ▾ -1  ▴ +1  ▲ +3";
        double[] steps = [-MaxBits, -Much, 0, Much, MaxBits];
        return $"{models}{string.Concat(steps.Select(bits => $"{ColourOf(bits)} {Change(bits, 0)} "))}{ScreenText.Reset}";
    }

    /// <summary>The two models.</summary>
    /// <param name="difference">A comparison, from here or from another session.</param>
    /// <returns>Such as <c>3M -> mine</c>, or <c>3M -> 3M in Int4</c>.</returns>
    public static string Models(PSObject difference)
    {
        ArgumentNullException.ThrowIfNull(difference);
        string reference = ObjectReader.Text(difference, "Reference"), model = ObjectReader.Text(difference, "Model");
        return Format.Visible($"{reference}{Held("ReferenceMeasure")} -> {model}{Held("Measure")}");

        string Held(string measure)
        {
            object? measured = difference.Properties[measure]?.Value;
            return measured is null ? "" : MarkedText.PrecisionOf(PSObject.AsPSObject(measured));
        }
    }

    /// <summary>A change of bits for a table.</summary>
    /// <param name="value">The number, if there is one.</param>
    /// <param name="digits">Digits behind the point.</param>
    /// <returns>Such as <c>-0.17</c>.</returns>
    public static string Change(double? value, int digits)
    {
        string number = digits == 0 ? "0" : $"0.{new string('0', digits)}";
        return value?.ToString($"+{number};-{number};{number}", CultureInfo.InvariantCulture) ?? "";
    }

    /// <summary>The totals.</summary>
    /// <param name="difference">A comparison, from here or from another session.</param>
    /// <returns>Such as <c>14 tokens, perplexity 30.94 -> 21.30</c> and <c>bits per byte 1.541 -> 1.372: -0.169 ± 0.031</c>.</returns>
    private static string[] Totals(PSObject difference)
    {
        string count = MarkedText.CountOf(difference);
        if (ObjectReader.Number(difference, "Difference") is not { } change) return [count];
        string error = ObjectReader.Number(difference, "StandardError") is { } bits ? $" ± {bits.ToString("0.000", CultureInfo.InvariantCulture)}" : "";
        return [$"{count}, perplexity {Both("Perplexity", "N2")}", $"bits per byte {Both("BitsPerByte", "N3")}: {Change(change, 3)}{error}"];

        string Both(string property, string format) => $"{Number($"Reference{property}", format)} -> {Number(property, format)}";

        string? Number(string property, string format) => ObjectReader.Number(difference, property)?.ToString(format, CultureInfo.InvariantCulture);
    }

    /// <summary>A part of a text in quotes, on the colour of its change.</summary>
    /// <param name="token">The part, from here or from another session.</param>
    /// <returns>The text in quotes.</returns>
    public static string Token(PSObject token)
    {
        ArgumentNullException.ThrowIfNull(token);
        return $"{ColourOf(ObjectReader.Number(token, "Difference"))}{MarkedText.Quoted(token)}{ScreenText.Reset}";
    }

    /// <summary>The totals, the text and what differs most.</summary>
    /// <param name="difference">A comparison, from here or from another session.</param>
    /// <param name="width">Columns of the screen.</param>
    /// <param name="whole">Whether all of a long text is drawn, and not only what a screen has room for.</param>
    /// <param name="hasMarks">Whether marks on a line below tell the change, where colours do not arrive.</param>
    /// <returns>Lines.</returns>
    public static string[] Draw(PSObject difference, int width, bool whole, bool hasMarks)
    {
        ArgumentNullException.ThrowIfNull(difference);
        width = MarkedText.WidthOf(width);
        List<string> lines = MarkedText.Draw(difference, Totals(difference), Pieces(difference), width, whole ? null : "Whole", hasMarks);
        AddMostDifferent(lines, difference, width);
        return [.. lines];
    }

    private static void AddMostDifferent(List<string> lines, PSObject difference, int width)
    {
        PSObject[] most = [.. ObjectReader.Items(difference, "MostDifferent")];
        Add("likelier", most.Where(token => ObjectReader.Number(token, "Difference") < 0));
        Add("less likely", most.Where(token => ObjectReader.Number(token, "Difference") > 0));

        void Add(string what, IEnumerable<PSObject> tokens)
        {
            IEnumerable<string> changes = tokens.Take(Named).Select(token => $"{MarkedText.Quoted(token)} {Change(ObjectReader.Number(token, "Difference"), 1)}");
            string list = string.Join("  ", changes);
            if (list.Length > 0) lines.Add(ScreenText.Fit($"{what}: {list}", width - 1).TrimEnd());
        }
    }

    private static IEnumerable<(int Start, int Length, string Colour, char Mark)> Pieces(PSObject difference)
    {
        foreach (PSObject token in ObjectReader.Items(difference, "Tokens"))
        {
            double? change = ObjectReader.Number(token, "Difference");
            int start = (int)(ObjectReader.Number(token, "Start") ?? 0), length = (int)(ObjectReader.Number(token, "Length") ?? 0);
            yield return (start, length, ColourOf(change), MarkOf(change));
        }
    }

    private static char MarkOf(double? bits) => bits switch
    {
        null => ' ',
        <= -Much => '▼',
        <= -Some => '▾',
        < Some => ' ',
        < Much => '▴',
        _ => '▲', // a NaN too
    };

    private static string ColourOf(double? bits)
    {
        if (bits is not { } known) return "";
        double share = double.IsNaN(known) ? 1 : Math.Min(Math.Abs(known) / MaxBits, 1);
        return ScreenText.Foreground(Light) + ScreenText.Background(ScreenText.Mix(Dark, known < 0 ? Better : Worse, share));
    }
}

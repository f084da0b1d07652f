using System.ComponentModel;
using System.Globalization;
using System.Management.Automation;
using System.Text;

namespace PicoGpt.PowerShell;

/// <summary>Draws measures of texts for the format views: the text itself, each token on a colour that tells its surprisal.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class MeasureView
{
    private const string Marks = " ▁▂▄▆█"; // of surprisal: none below a bit, the last from 12 on
    private const int MaxBits = 12;
    private const int Step = 3;

    // From what was predicted to what was not: dark, purple, red, orange, yellow.
    private static readonly (int R, int G, int B)[] Heat = [(22, 27, 38), (84, 30, 106), (176, 48, 92), (240, 118, 48), (252, 220, 118)];
    private static readonly (int R, int G, int B) Light = (240, 245, 245), Dark = (18, 18, 24);

    /// <summary>What is measured with, and what the colours mean.</summary>
    /// <param name="measure">A text's measure, from here or from another session.</param>
    /// <returns>Such as <c>3M, surprisal in bits:  0   3   6   9  12+</c>.</returns>
    public static string Legend(PSObject measure)
    {
        ArgumentNullException.ThrowIfNull(measure);
        var legend = new StringBuilder($"{MeasuredWith(measure)}, surprisal in bits: ");
        for (int bits = 0; bits <= MaxBits; bits += Step)
            legend.Append(CultureInfo.InvariantCulture, $"{ColourOf(bits)} {bits}{(bits == MaxBits ? '+' : ' ')}");
        return legend.Append(ScreenText.Reset).ToString();
    }

    /// <summary>What is measured with, and what the marks mean.</summary>
    /// <param name="measure">A text's measure, from here or from another session.</param>
    /// <returns>Such as <c>3M, surprisal in bits: ▁ 1  ▂ 3  ▄ 6  ▆ 9  █ 12+</c>.</returns>
    public static string MarkLegend(PSObject measure)
    {
        ArgumentNullException.ThrowIfNull(measure);
        return $"{MeasuredWith(measure)}, surprisal in bits: ▁ 1  ▂ 3  ▄ 6  ▆ 9  █ 12+";
    }

    /// <summary>The totals on one line.</summary>
    /// <param name="measure">A text's measure, from here or from another session.</param>
    /// <returns>Such as <c>22 tokens, perplexity 20.35, 4.35 bits per token, 1.23 bits per character</c>.</returns>
    public static string Totals(PSObject measure)
    {
        ArgumentNullException.ThrowIfNull(measure);
        var totals = new StringBuilder(MarkedText.CountOf(measure));
        Add("Perplexity", ", perplexity {0:N2}");
        Add("BitsPerToken", ", {0:N2} bits per token");
        Add("BitsPerCharacter", ", {0:N2} bits per character");
        return totals.ToString();

        void Add(string property, string format)
        {
            if (ObjectReader.Number(measure, property) is { } value) totals.Append(string.Format(CultureInfo.InvariantCulture, format, value));
        }
    }

    /// <summary>A token in quotes, on the colour of its surprisal.</summary>
    /// <param name="token">A token's measure, from here or from another session.</param>
    /// <returns>The text in quotes.</returns>
    public static string Token(PSObject token)
    {
        ArgumentNullException.ThrowIfNull(token);
        return $"{ColourOf(ObjectReader.Number(token, "Surprisal"))}{MarkedText.Quoted(token)}{ScreenText.Reset}";
    }

    /// <summary>The beginning of a text on one line.</summary>
    /// <param name="text">The text.</param>
    /// <returns>As much as a table has room for, control characters made visible.</returns>
    public static string Beginning(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        const int Enough = 200;
        return VisibleText.Of((text.Length > Enough ? text[..Enough] : text).Replace("\r\n", "\n", StringComparison.Ordinal));
    }

    /// <summary>The file and line that a text is from, or how the text begins.</summary>
    /// <param name="count">A text's counts, from here or from another session.</param>
    /// <returns>Such as <c>tale.txt:3</c>.</returns>
    public static string Place(PSObject count)
    {
        ArgumentNullException.ThrowIfNull(count);
        string file = Path.GetFileName(ObjectReader.Text(count, "Path"));
        int line = (int)(ObjectReader.Number(count, "Line") ?? 0);
        if (file.Length == 0) return Beginning(ObjectReader.Text(count, "Text"));
        return Format.Visible(line == 0 ? file : string.Create(CultureInfo.InvariantCulture, $"{file}:{line}"));
    }

    /// <summary>The totals and the text, coloured or marked.</summary>
    /// <param name="measure">A text's measure, from here or from another session.</param>
    /// <param name="width">Columns of the screen.</param>
    /// <param name="whole">Whether all of a long text is drawn, and not only what a screen has room for.</param>
    /// <param name="hasMarks">Whether marks on a line below tell the surprisal, where colours do not arrive.</param>
    /// <returns>Lines.</returns>
    public static string[] Draw(PSObject measure, int width, bool whole, bool hasMarks = false)
    {
        ArgumentNullException.ThrowIfNull(measure);
        string? wholeView = whole ? null : hasMarks ? "Marks" : "Whole";
        var pieces = Pieces(measure).Select(piece => (piece.Start, piece.Length, ColourOf(piece.Bits), MarkOf(piece.Bits)));
        return [.. MarkedText.Draw(measure, [Totals(measure)], pieces, MarkedText.WidthOf(width), wholeView, hasMarks)];
    }

    private static string MeasuredWith(PSObject measure) => $"{Format.Visible(ObjectReader.Text(measure, "Model"))}{MarkedText.PrecisionOf(measure)}";

    private static char MarkOf(double? bits) => bits switch
    {
        null or < 1 => Marks[0],
        < Step => Marks[1],
        < 2 * Step => Marks[2],
        < 3 * Step => Marks[3],
        < MaxBits => Marks[4],
        _ => Marks[5], // a NaN too
    };

    // A token in the middle of a character goes with the token in which the character began; the colour is that of the more surprising.
    private static IEnumerable<(int Start, int Length, double? Bits)> Pieces(PSObject measure)
    {
        (int Start, int Length, double? Bits)? piece = null;
        foreach (PSObject token in ObjectReader.Items(measure, "Tokens"))
        {
            double? bits = ObjectReader.Number(token, "Surprisal");
            int length = (int)(ObjectReader.Number(token, "Length") ?? 0);
            if (length == 0 && piece is { } begun)
            {
                piece = begun with { Bits = bits > begun.Bits || begun.Bits is null ? bits : begun.Bits };
                continue;
            }

            if (piece is { } whole) yield return whole;
            piece = ((int)(ObjectReader.Number(token, "Start") ?? 0), length, bits);
        }

        if (piece is { } last) yield return last;
    }

    private static string ColourOf(double? bits)
    {
        if (bits is not { } known) return "";
        double place = (double.IsNaN(known) ? 1 : Math.Clamp(known / MaxBits, 0, 1)) * (Heat.Length - 1);
        int stop = Math.Min((int)place, Heat.Length - 2);
        (int r, int g, int b) = ScreenText.Mix(Heat[stop], Heat[stop + 1], place - stop);
        bool isBright = (3 * r) + (6 * g) + b > 1300; // about how the eye weighs red, green and blue
        return ScreenText.Foreground(isBright ? Dark : Light) + ScreenText.Background((r, g, b));
    }
}

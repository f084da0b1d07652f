using System.Globalization;
using System.Management.Automation;

namespace PicoGpt.PowerShell;

/// <summary>What views of measures and of comparisons share: a text in pieces, on colours or over marks, and what they say about it.</summary>
internal static class MarkedText
{
    private const int MaxLines = 20, MinWidth = 20;

    /// <summary>The columns to draw in, by those of a screen.</summary>
    public static int WidthOf(int screen) => screen <= 0 ? Screen.WidthOfNoScreen : Math.Max(screen, MinWidth);

    /// <summary>The file that a text is from, the totals, and the text.</summary>
    /// <param name="item">An object with a text, from here or from another session.</param>
    /// <param name="totals">Lines before the text.</param>
    /// <param name="pieces">The pieces of the text, each with its colour, as an escape sequence, and its mark.</param>
    /// <param name="width">Columns to draw in; see <see cref="WidthOf"/>.</param>
    /// <param name="wholeView">The view that shows all of a long text, where this draws only what a screen has room for; else null.</param>
    /// <param name="hasMarks">Whether marks stand on a line below, where colours do not arrive.</param>
    /// <returns>Lines.</returns>
    public static List<string> Draw(
        PSObject item, IEnumerable<string> totals, IEnumerable<(int Start, int Length, string Colour, char Mark)> pieces, int width, string? wholeView, bool hasMarks)
    {
        string file = ObjectReader.Text(item, "Path"), text = ObjectReader.Text(item, "Text");
        List<string> lines = [.. file.Length > 0 ? [Format.Visible(Path.GetFileName(file))] : (string[])[], .. totals];
        var drawn = new StyledLines(width - 1, wholeView is null ? int.MaxValue : MaxLines);
        foreach ((int start, int length, string colour, char mark) in pieces)
        {
            drawn.AddMarked(text, start, length, colour, mark);
            if (drawn.IsCut) break;
        }

        if (text.Length > 0 && text[^1] != '\n') drawn.Finish();
        lines.AddRange(hasMarks ? drawn.Marked() : drawn.Styled());
        if (drawn.IsCut) lines.Add($"… Format-Custom -View {wholeView} shows the whole text.");
        return lines;
    }

    /// <summary>How many tokens were measured: <c>22 tokens</c>.</summary>
    public static string CountOf(PSObject item)
    {
        int tokens = (int)(ObjectReader.Number(item, "TokenCount") ?? 0);
        return string.Create(CultureInfo.InvariantCulture, $"{tokens:N0} {(tokens == 1 ? "token" : "tokens")}");
    }

    /// <summary>A token's text in quotes.</summary>
    public static string Quoted(PSObject token) => $"'{VisibleText.Of(ObjectReader.Text(token, "Text"))}'";

    /// <summary>How a measured model ran, behind its name: <c> in Int8</c>; nothing in float32.</summary>
    public static string PrecisionOf(PSObject measure) =>
        ObjectReader.Text(measure, "Precision") is var precision && precision is "" or nameof(Gpt2Precision.Float32) ? "" : $" in {precision}";
}

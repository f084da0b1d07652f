using System.Globalization;
using System.Management.Automation;
using PicoGpt.Inference;

namespace PicoGpt.PowerShell;

/// <summary>Draws completions and pieces for the format views: the prompt dim, the text bold, lines broken after words.</summary>
internal static class GenerationView
{
    private const int MinWidth = 20;
    private const string Dim = "\e[2m";
    private const string Bold = ScreenText.Reset + "\e[1m";
    private const string LineUp = "\e[A";
    private const string EraseToEnd = "\e[K";

    /// <summary>A prompt and what follows it.</summary>
    public static string[] Completion(PSObject completion, int width)
    {
        StyledLines lines = Lines(ObjectReader.Text(completion, "Prompt"), ObjectReader.Text(completion, "Text"), width);
        return [.. lines.Styled()];
    }

    /// <summary>The text of a session: what the person wrote dim, what the model wrote bold.</summary>
    public static string[] Session(PSObject session, int width)
    {
        StyledLines lines = NewLines(width);
        foreach (PSObject turn in ObjectReader.Items(session, "Turns"))
            lines.AddPlain(VisibleText.Printable(ObjectReader.Text(turn, "Text")), LanguagePrimitives.IsTrue(turn.Properties["IsByModel"]?.Value) ? Bold : Dim);
        lines.Finish();
        return [.. lines.Styled()];
    }

    /// <summary>
    /// A piece of a text. PowerShell ends a line behind each object; on a terminal a piece goes back to where the one before ended, so that
    /// pieces read as the text that they are of. Elsewhere a piece is a line.
    /// </summary>
    public static string[] Piece(PSObject piece, int width)
    {
        string text = ObjectReader.Text(piece, "Text");
        if (piece.BaseObject is not Gpt2Piece here || !Screen.IsTerminal) return [Format.Visible(text)];
        if (here.Position > 0) return GoOn(here, width);
        string[] begun = [.. Lines(here.Prompt, text, width).Styled()];
        return here.PromptIndex == 0 ? begun : ["", .. begun];
    }

    private static string[] GoOn(Gpt2Piece piece, int width)
    {
        StyledLines before = Lines("", piece.LineBefore, width), after = Lines("", piece.LineBefore + piece.Text, width);
        string last = before.Texts()[^1];
        int line = before.Texts().Length - 1;
        string same = after.Texts()[line];
        string[] rest = [.. after.Styled().Skip(line + 1)];
        if (same.StartsWith(last, StringComparison.Ordinal))
            return [LineUp + ColumnAfter(last) + after.StyledFrom(line, last.Length), .. rest];
        return [LineUp + ColumnAfter(same) + EraseToEnd, .. rest]; // the word that began there continues in the next line
    }

    private static string ColumnAfter(string line)
    {
        int column = 1 + line.EnumerateRunes().Sum(ScreenText.Columns);
        return string.Create(CultureInfo.InvariantCulture, $"\e[{column}G");
    }

    // One column is left free: a full line would end in the next.
    private static StyledLines NewLines(int width) => new(Math.Max(width, MinWidth) - 1, isPlain: true);

    private static StyledLines Lines(string prompt, string text, int width)
    {
        StyledLines lines = NewLines(width);
        string whole = VisibleText.Printable(prompt + text);
        int border = Math.Min(VisibleText.Printable(prompt).Length, whole.Length);
        lines.AddPlain(whole[..border], Dim);
        lines.AddPlain(whole[border..], Bold);
        lines.Finish();
        return lines;
    }
}

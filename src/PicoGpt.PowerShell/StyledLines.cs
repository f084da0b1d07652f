using System.Text;

namespace PicoGpt.PowerShell;

/// <summary>
/// A text in styles, broken into lines of the screen after words where that is possible. Its own line ends break lines too.
/// </summary>
/// <param name="width">Columns of a line.</param>
/// <param name="most">The most lines.</param>
/// <param name="isPlain">Whether spaces at the end of a line mean nothing.</param>
internal sealed class StyledLines(int width, int most = int.MaxValue, bool isPlain = false)
{
    private const int TabWidth = 8;
    private const char Blank = ' ';

    private readonly List<List<Cell>> _lines = [];
    private readonly List<Cell> _line = [];
    private int _columns;

    /// <summary>Whether there was no line left for a part of the text.</summary>
    public bool IsCut { get; private set; }

    /// <summary>Adds a text whose line ends and tabs are shown for what they are.</summary>
    /// <param name="text">The text, of which nothing is spelled out any more.</param>
    /// <param name="style">What begins its style on a terminal; empty for none.</param>
    public void AddPlain(string text, string style)
    {
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (rune.Value == '\n') Break(_line.Count);
            else if (rune.Value == '\t') AddTab(style);
            else if (rune.Value != ' ' || _columns < width) Add(rune, style, Blank); // a space behind a full line is its end
            else Break(_line.Count);
        }
    }

    /// <summary>Adds a part of a text, which follows the one before; its line ends and tabs are marked.</summary>
    /// <param name="text">The whole text.</param>
    /// <param name="start">Where the part begins.</param>
    /// <param name="length">How long it is.</param>
    /// <param name="style">What begins its style on a terminal; empty for none.</param>
    /// <param name="mark">What marks it on the line below, where there are no styles.</param>
    public void AddMarked(string text, int start, int length, string style, char mark)
    {
        int end = Math.Min(start + length, text.Length);
        for (int at = Math.Max(start, 0); at < end && !IsCut;)
        {
            Rune rune = VisibleText.RuneAt(text, at);
            bool isSpelled = VisibleText.IsSpelled(text, at);
            at += rune == Rune.ReplacementChar ? 1 : rune.Utf16SequenceLength;
            if (rune.Value == '\r' && at < text.Length && text[at] == '\n') continue;
            if (!isSpelled) Add(rune, style, mark);
            else foreach (Rune glyph in VisibleText.Of(rune.ToString()).EnumerateRunes()) Add(glyph, style, mark);
            if (rune.Value == '\n') Break(_line.Count);
        }
    }

    /// <summary>Ends the text: the last line, which may be empty, is a line too.</summary>
    public void Finish() => Break(_line.Count);

    /// <summary>The lines, without their styles.</summary>
    public string[] Texts() => [.. _lines.Select(line => string.Concat(line.Select(cell => cell.Glyph)))];

    /// <summary>The lines in their styles.</summary>
    public IEnumerable<string> Styled() => _lines.Select(line => Styled(line));

    /// <summary>The end of a line in its styles.</summary>
    /// <param name="line">The number of the line.</param>
    /// <param name="skip">Characters of it that are left out.</param>
    public string StyledFrom(int line, int skip)
    {
        int cells = 0;
        for (int length = 0; cells < _lines[line].Count && length < skip; cells++) length += _lines[line][cells].Glyph.Length;
        return Styled(_lines[line].Skip(cells));
    }

    /// <summary>The lines without styles, each with the marks of its parts below, where it has any.</summary>
    public IEnumerable<string> Marked()
    {
        foreach (List<Cell> line in _lines)
        {
            yield return string.Concat(line.Select(cell => cell.Glyph));
            string marks = string.Concat(line.Select(cell => new string(cell.Mark, cell.Columns))).TrimEnd();
            if (marks.Length > 0) yield return marks;
        }
    }

    private static string Styled(IEnumerable<Cell> cells)
    {
        var line = new StringBuilder();
        string style = "";
        foreach (Cell cell in cells)
        {
            if (cell.Style != style) line.Append(cell.Style.Length == 0 ? ScreenText.Reset : cell.Style);
            style = cell.Style;
            line.Append(cell.Glyph);
        }

        return style.Length == 0 ? line.ToString() : line.Append(ScreenText.Reset).ToString();
    }

    private void AddTab(string style)
    {
        do Add(new Rune(' '), style, Blank);
        while (_columns % TabWidth != 0 && _columns < width);
    }

    private void Add(Rune glyph, string style, char mark)
    {
        int columns = ScreenText.Columns(glyph);
        if (_columns + columns > width)
        {
            int word = _line.FindLastIndex(cell => cell.Glyph == " ") + 1;
            Break(word > 0 && word < _line.Count ? word : _line.Count);
        }

        _line.Add(new Cell(glyph.ToString(), columns, style, mark));
        _columns += columns;
    }

    private void Break(int count)
    {
        IsCut |= _lines.Count >= most;
        if (IsCut) return;
        int shown = count;
        while (isPlain && shown > 0 && count < _line.Count && _line[shown - 1].Glyph == " ") shown--;
        _lines.Add(_line[..shown]);
        _line.RemoveRange(0, count);
        _columns = _line.Sum(cell => cell.Columns);
    }

    private readonly record struct Cell(string Glyph, int Columns, string Style, char Mark);
}

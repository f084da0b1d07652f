using System.Text;

namespace PicoGpt.PowerShell;

/// <summary>
/// A text in colours, broken into lines of the screen after words where that is possible; its own line ends are marked and kept.
/// </summary>
/// <param name="text">The text.</param>
/// <param name="width">Columns of a line.</param>
/// <param name="most">The most lines.</param>
internal sealed class SurprisalLines(string text, int width, int most)
{
    private readonly List<string> _lines = [];
    private readonly List<(string Glyph, int Columns, string Colour)> _line = [];
    private int _columns;

    /// <summary>Whether there was no line left for a part of the text.</summary>
    public bool IsCut { get; private set; }

    /// <summary>Adds a part of the text, which follows the one before.</summary>
    public void Add(int start, int length, string colour)
    {
        int end = Math.Min(start + length, text.Length);
        for (int at = Math.Max(start, 0); at < end && !IsCut;)
        {
            if (!Rune.TryGetRuneAt(text, at, out Rune rune)) rune = Rune.ReplacementChar;
            at += rune.Utf16SequenceLength;
            if (rune.Value == '\r' && at < text.Length && text[at] == '\n') continue;
            foreach (Rune glyph in VisibleText.Of(rune.ToString()).EnumerateRunes()) Add(glyph, colour);
            if (rune.Value == '\n') Break(_line.Count);
        }
    }

    /// <summary>All lines.</summary>
    public IEnumerable<string> Finish()
    {
        if (_line.Count > 0) Break(_line.Count);
        return _lines;
    }

    private void Add(Rune glyph, string colour)
    {
        int columns = ScreenText.Columns(glyph);
        if (_columns + columns > width)
        {
            int word = _line.FindLastIndex(cell => cell.Glyph == " ") + 1;
            Break(word > _line.Count / 2 ? word : _line.Count);
        }

        _line.Add((glyph.ToString(), columns, colour));
        _columns += columns;
    }

    private void Break(int count)
    {
        IsCut |= _lines.Count >= most;
        if (IsCut) return;
        var line = new StringBuilder();
        string colour = "";
        foreach ((string glyph, _, string wanted) in _line.Take(count))
        {
            if (wanted != colour) line.Append(wanted.Length == 0 ? ScreenText.Reset : wanted);
            colour = wanted;
            line.Append(glyph);
        }

        _lines.Add(colour.Length == 0 ? line.ToString() : line.Append(ScreenText.Reset).ToString());
        _line.RemoveRange(0, count);
        _columns = _line.Sum(cell => cell.Columns);
    }
}

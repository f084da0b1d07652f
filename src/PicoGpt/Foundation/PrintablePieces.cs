using System.Text;

namespace PicoGpt.Foundation;

/// <summary>
/// A text that comes in pieces, as it may go to a terminal: all pieces together are <see cref="VisibleText.Printable(string)"/> of the whole.
/// What only its neighbours tell the sense of, such as a joiner at the end of a piece, waits for the next one.
/// </summary>
internal sealed class PrintablePieces
{
    private string _before = "";
    private string _waiting = "";

    /// <summary>What can be shown with one more piece.</summary>
    /// <param name="piece">Whole characters.</param>
    public string Add(string piece)
    {
        string text = _waiting + piece;
        int end = text.Length;
        while (end > 0 && Waits(text, end, out int length)) end -= length;
        _waiting = text[end..];
        return Show(text[..end]);
    }

    /// <summary>What waited, when nothing follows.</summary>
    public string Finish()
    {
        string rest = _waiting;
        _waiting = "";
        return Show(rest);
    }

    private string Show(string piece)
    {
        string lines = piece.ReplaceLineEndings("\n"), text = _before + lines;
        string shown = VisibleText.Printable(text, _before.Length, lines.Length);
        if (text.Length > 0) _before = text[^LengthOfLast(text, text.Length)..];
        return shown;
    }

    private static bool Waits(string text, int end, out int length)
    {
        length = LengthOfLast(text, end);
        Rune last = VisibleText.RuneAt(text, end - length);
        return last.Value is not ('\n' or '\t') && VisibleText.IsShapeless(last);
    }

    private static int LengthOfLast(string text, int end) => end > 1 && char.IsSurrogatePair(text[end - 2], text[end - 1]) ? 2 : 1;
}

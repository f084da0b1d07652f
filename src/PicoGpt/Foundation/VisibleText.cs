using System.Buffers;
using System.Globalization;
using System.Text;

namespace PicoGpt.Foundation;

/// <summary>
/// Texts for a screen or a picture: what has no shape of its own, or would rearrange its surroundings, is spelled out. The one rule of what
/// that is, for all that is shown.
/// </summary>
internal static class VisibleText
{
    private const int ZeroWidthNonJoiner = 0x200C;
    private const int ZeroWidthJoiner = 0x200D;
    private const int BlankBraille = 0x2800;

    /// <summary>A token's text on one line; bytes that are not whole characters as <c>⟨e2 80⟩</c>.</summary>
    public static string Of(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder();
        while (!bytes.IsEmpty)
        {
            int whole = LengthOfWhole(bytes);
            text.Append(Of(Encoding.UTF8.GetString(bytes[..whole])));
            bytes = bytes[whole..];
            if (bytes.IsEmpty) break;
            Rune.DecodeFromUtf8(bytes, out _, out int length);
            foreach (byte value in bytes[..length]) text.Append(CultureInfo.InvariantCulture, $"⟨{value:x2}⟩");
            bytes = bytes[length..];
        }

        return text.Replace("⟩⟨", " ").ToString();
    }

    /// <summary>A text on one line.</summary>
    public static string Of(string text) => Spell(text, rune => rune.Value switch
    {
        '\n' => "↵",
        '\t' => "⇥",
        _ => string.Create(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}"),
    });

    /// <summary>
    /// A text of several lines as it may go to a terminal: what commands it or rearranges its surroundings is spelled out; line ends, tabs, and
    /// the joiners without which Persian and some emoji fall apart stay.
    /// </summary>
    public static string Printable(string text)
    {
        string lines = text.ReplaceLineEndings("\n");
        return Printable(lines, 0, lines.Length);
    }

    /// <summary>The same for a part of a text, whose lines end with <c>\n</c>.</summary>
    public static string Printable(string text, int start, int length) =>
        Spell(text, start, length, rune => rune.Value is '\n' or '\t' ? rune.ToString() : Escape(rune));

    /// <summary>The spelling of a character in strings of many languages: <c>\x1b</c>, <c>\u202e</c>, <c>\U000e0001</c>.</summary>
    public static string Escape(Rune rune) => rune.Value switch
    {
        < 0x100 => string.Create(CultureInfo.InvariantCulture, $"\\x{rune.Value:x2}"),
        < 0x10000 => string.Create(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"\\U{rune.Value:x8}"),
    };

    /// <summary>A text with all that is not for a screen spelled out, the way that a caller wants it.</summary>
    public static string Spell(string text, Func<Rune, string> spell) => Spell(text, 0, text.Length, spell);

    /// <summary>A part of a text, which what stands around it decides as well, with all that is not for a screen spelled out.</summary>
    public static string Spell(string text, int start, int length, Func<Rune, string> spell)
    {
        var visible = new StringBuilder(length);
        for (int at = start; at < start + length;)
        {
            Rune rune = RuneAt(text, at);
            visible.Append(IsSpelled(text, at) ? spell(rune) : rune.ToString());
            at += rune == Rune.ReplacementChar ? 1 : rune.Utf16SequenceLength;
        }

        return visible.ToString();
    }

    /// <summary>
    /// Whether the character at a place of a text is to be spelled out. The joiners within Persian words and family emoji are a part of the
    /// text and are not: those that stand between letters, marks or symbols beyond ASCII. Nor are the selectors of a variation behind such a
    /// character, and a blank between patterns of Braille.
    /// </summary>
    public static bool IsSpelled(string text, int at)
    {
        Rune rune = RuneAt(text, at);
        if (!IsShapeless(rune)) return false;
        return rune.Value switch
        {
            ZeroWidthNonJoiner or ZeroWidthJoiner => !IsJoined(text, at),
            BlankBraille => !(at > 0 && IsBraille(RuneBefore(text, at))) && !(at + 1 < text.Length && IsBraille(RuneAt(text, at + 1))),
            _ when IsVariation(rune.Value) => !(at > 0 && CanJoin(RuneBefore(text, at)) && !IsVariation(RuneBefore(text, at).Value)),
            _ => true,
        };
    }

    /// <summary>The character at a place of a text; U+FFFD for half a surrogate pair.</summary>
    public static Rune RuneAt(string text, int at) => Rune.TryGetRuneAt(text, at, out Rune rune) ? rune : Rune.ReplacementChar;

    private static bool IsJoined(string text, int at) =>
        at > 0 && at + 1 < text.Length && CanJoin(RuneBefore(text, at)) && CanJoin(RuneAt(text, at + 1));

    private static Rune RuneBefore(string text, int at) => RuneAt(text, char.IsLowSurrogate(text[at - 1]) && at > 1 ? at - 2 : at - 1);

    private static bool CanJoin(Rune rune) => !rune.IsAscii && (Rune.IsLetter(rune) || Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.OtherSymbol or UnicodeCategory.ModifierSymbol);

    private static int LengthOfWhole(ReadOnlySpan<byte> bytes)
    {
        int length = 0;
        while (length < bytes.Length && Rune.DecodeFromUtf8(bytes[length..], out _, out int consumed) == OperationStatus.Done) length += consumed;
        return length;
    }

    /// <summary>Whether a character has no shape of its own: controls, what rearranges its surroundings, what only some fonts have.</summary>
    public static bool IsShapeless(Rune rune) => Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
            or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned || IsBlank(rune.Value) || IsVariation(rune.Value);

    // Letters and symbols that look like nothing: the joiner of graphemes, fillers of Hangul, inherent vowels of Khmer, empty Braille.
    private static bool IsBlank(int rune) => rune is 0x034F or 0x115F or 0x1160 or 0x17B4 or 0x17B5 or BlankBraille or 0x3164 or 0xFFA0;

    private static bool IsVariation(int rune) => rune is (>= 0x180B and <= 0x180F) or (>= 0xFE00 and <= 0xFE0F) or (>= 0xE0100 and <= 0xE01EF);

    private static bool IsBraille(Rune rune) => rune.Value is > BlankBraille and <= 0x28FF;
}

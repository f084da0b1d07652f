using System.Globalization;
using System.Text;

namespace PicoGpt.Tokens;

/// <summary>
/// Cuts text into the pieces within which bytes are merged, by OpenAI's pattern
/// <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c>, over code points.
/// </summary>
/// <remarks>
/// .NET's Regex works on UTF-16 units and takes a letter outside the basic plane for two symbols, hence the scan by hand.
/// </remarks>
internal sealed class Gpt2PieceScanner : IPieceScanner
{
    private enum Kind
    {
        Letter,
        Number,
        Space,
        Other,
    }

    /// <summary>The one of all: it holds nothing.</summary>
    public static Gpt2PieceScanner Instance { get; } = new();

    public int NextLength(ReadOnlySpan<char> text)
    {
        int contraction = ContractionLength(text);
        if (contraction > 0) return contraction;

        int start = text[0] == ' ' && text.Length > 1 ? 1 : 0;
        Kind kind = KindAt(text[start..], out _);
        if (kind != Kind.Space) return start + RunLength(text[start..], kind, out _);

        // A run of white space leaves its last character to the word after it.
        int run = RunLength(text, Kind.Space, out int last);
        return run == text.Length || run == last ? run : run - last;
    }

    private static int ContractionLength(ReadOnlySpan<char> text)
    {
        if (text.Length < 2 || text[0] != '\'') return 0;
        if (text[1] is 's' or 't' or 'm' or 'd') return 2;
        return text.Length > 2 && text[1..3] is "re" or "ve" or "ll" ? 3 : 0;
    }

    // the length of the run and of its last character
    private static int RunLength(ReadOnlySpan<char> text, Kind kind, out int last)
    {
        int length = 0;
        last = 0;
        while (length < text.Length && KindAt(text[length..], out int size) == kind)
        {
            length += size;
            last = size;
        }

        return length;
    }

    private static Kind KindAt(ReadOnlySpan<char> text, out int size)
    {
        size = 1;
        char first = text[0];
        if (char.IsAscii(first))
        {
            return char.IsAsciiLetter(first) ? Kind.Letter
                : char.IsAsciiDigit(first) ? Kind.Number
                : char.IsWhiteSpace(first) ? Kind.Space
                : Kind.Other;
        }

        Rune.DecodeFromUtf16(text, out Rune rune, out size); // an unpaired surrogate is U+FFFD, of kind Other
        return Rune.GetUnicodeCategory(rune) switch
        {
            <= UnicodeCategory.OtherLetter => Kind.Letter,
            UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => Kind.Number,
            _ => Rune.IsWhiteSpace(rune) ? Kind.Space : Kind.Other,
        };
    }
}

using System.Buffers;
using System.Globalization;
using System.Text;

namespace PicoGpt.Foundation;

/// <summary>Token texts for a picture: what has no shape of its own, or would rearrange its surroundings, is spelled out.</summary>
internal static class VisibleText
{
    /// <summary>A token's text on one line; bytes that are no whole characters as <c>⟨e2 80⟩</c>.</summary>
    public static string Of(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder();
        while (!bytes.IsEmpty)
        {
            bool isWhole = Rune.DecodeFromUtf8(bytes, out Rune rune, out int length) == OperationStatus.Done;
            if (isWhole) Append(text, rune);
            else AppendBytes(text, bytes[..length]);
            bytes = bytes[length..];
        }

        return text.Replace("⟩⟨", " ").ToString();
    }

    /// <summary>A text on one line.</summary>
    public static string Of(string text)
    {
        var visible = new StringBuilder(text.Length);
        foreach (Rune rune in text.EnumerateRunes()) Append(visible, rune);
        return visible.ToString();
    }

    private static void AppendBytes(StringBuilder text, ReadOnlySpan<byte> bytes)
    {
        foreach (byte value in bytes) text.Append(CultureInfo.InvariantCulture, $"⟨{value:x2}⟩");
    }

    private static void Append(StringBuilder text, Rune rune)
    {
        if (rune.Value == '\n') text.Append('↵');
        else if (rune.Value == '\t') text.Append('⇥');
        else if (IsShapeless(rune)) text.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}");
        else text.Append(rune.ToString());
    }

    /// <summary>Whether a character has no shape of its own: controls, what rearranges its surroundings, what only some fonts have.</summary>
    public static bool IsShapeless(Rune rune) => Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
            or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned;
}

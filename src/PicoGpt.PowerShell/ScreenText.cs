using System.Globalization;
using System.Text;

namespace PicoGpt.PowerShell;

/// <summary>Columns and colours of a terminal.</summary>
internal static class ScreenText
{
    /// <summary>Ends all colours.</summary>
    public const string Reset = "\e[0m";

    /// <summary>A text in just so many columns of the screen.</summary>
    public static string Fit(string text, int columns)
    {
        var fitted = new StringBuilder();
        int taken = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            int cells = Columns(rune);
            if (taken + cells > columns) break;
            fitted.Append(rune.ToString());
            taken += cells;
        }

        return fitted.Append(' ', columns - taken).ToString();
    }

    /// <summary>
    /// How many columns a character takes: roughly, 2 for what Unicode's EastAsianWidth.txt calls wide, and none for marks on the character
    /// before and for joiners.
    /// </summary>
    public static int Columns(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format => 0,
        _ => IsWide(rune.Value) ? 2 : 1,
    };

    /// <summary>Begins a 24-bit background.</summary>
    public static string Background((int R, int G, int B) colour) =>
        string.Create(CultureInfo.InvariantCulture, $"\e[48;2;{colour.R};{colour.G};{colour.B}m");

    /// <summary>Begins a 24-bit foreground.</summary>
    public static string Foreground((int R, int G, int B) colour) =>
        string.Create(CultureInfo.InvariantCulture, $"\e[38;2;{colour.R};{colour.G};{colour.B}m");

    /// <summary>A colour between two: the first at 0, the second at 1.</summary>
    public static (int R, int G, int B) Mix((int R, int G, int B) from, (int R, int G, int B) to, double share)
    {
        return (Part(from.R, to.R), Part(from.G, to.G), Part(from.B, to.B));
        int Part(int a, int b) => (int)Math.Round(a + ((b - a) * Math.Clamp(share, 0, 1)));
    }

    private static bool IsWide(int rune) => rune is (>= 0x1100 and <= 0x115F) or (>= 0x2E80 and <= 0xA4CF) or (>= 0xAC00 and <= 0xD7A3)
        or (>= 0xF900 and <= 0xFAFF) or (>= 0xFE30 and <= 0xFE6F) or (>= 0xFF00 and <= 0xFF60) or (>= 0x1F300 and <= 0x1FAFF) or >= 0x20000;
}

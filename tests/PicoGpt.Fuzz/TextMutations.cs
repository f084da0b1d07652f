using System.Text;

namespace PicoGpt.Fuzz;

/// <summary>Changes to JSON and other text: numbers, words, lines, escapes and nesting.</summary>
internal static class TextMutations
{
    private static readonly string[] Pieces =
    [
        "0", "-1", "1", "1.5", "1e9", "1e999", "-0", "00", "2147483647", "2147483648", "4294967296", "9223372036854775807", "9223372036854775808",
        "16777216", "16777217", "99999999999999999999999999", "NaN", "Infinity", "null", "true", "\"\"", "{}", "[]", "{", "}", "[", "]", ",", ":", "\"",
        "\\", "'", " ", "\n", "\r\n", "\t", "\0", "\u001b[2J", "\u0007", "\u202e", "\uFEFF", "\u2028", "\\u0000", "\\ud800", "\\udc00\\ud800", "\\u001b]0;x\\u0007",
        "Ġ", "ĊĊ", "<|endoftext|>", "#version: 0.2", "model_checkpoint_path: \"", "../", "/dev/null", "//host/share/m", "\\\\host\\share\\m", "C:\\m", "a:b", "CON",
        "n_layer", "/*", "*/", "\\x1b", "\\377", "\\x00", "\\",
    ];

    public static byte[] Change(byte[] good, Dice dice)
    {
        if (dice.Chance(0.3)) return ByteMutations.Change(good, dice);
        string text = Encoding.UTF8.GetString(good);
        for (int changes = 1 + dice.Next(3); changes > 0; changes--) text = ChangeOnce(text, dice);
        return Encoding.UTF8.GetBytes(text);
    }

    private static string ChangeOnce(string text, Dice dice)
    {
        int at = dice.Next(text.Length + 1);
        switch (dice.Next(8))
        {
            case 0: return text.Insert(at, dice.Pick(Pieces));
            case 1: return text.Insert(at, dice.Number().ToString("d", null));
            case 2: return text.Insert(at, new string(dice.Pick<char>(['[', '{', '(', '"', '\\', 'a', ' ', '9', 'Ġ']), 1 + dice.Next(3000)));
            case 3: return ReplaceNumber(text, dice);
            case 4: return ReplaceLine(text, dice);
            case 5: return text[..at];
            case 6: return text.Remove(at, Math.Min(text.Length - at, dice.Next(40)));
            default: return text.Insert(dice.Next(text.Length + 1), text.Substring(at, Math.Min(text.Length - at, dice.Next(80))));
        }
    }

    private static string ReplaceNumber(string text, Dice dice)
    {
        int start = text.AsSpan(dice.Next(text.Length + 1)).IndexOfAnyInRange('0', '9');
        if (start < 0) return text + dice.Pick(Pieces);
        int end = start;
        while (end < text.Length && char.IsAsciiDigit(text[end])) end++;
        string number = dice.Chance(0.5) ? unchecked((long)dice.Number()).ToString("d", null) : dice.Pick(Pieces);
        return text[..start] + number + text[end..];
    }

    // twice, none, or in another place
    private static string ReplaceLine(string text, Dice dice)
    {
        List<string> lines = [.. text.Split('\n')];
        string line = dice.Pick(lines);
        if (dice.Chance(0.5)) lines.Remove(line);
        if (dice.Chance(0.7)) lines.Insert(dice.Next(lines.Count + 1), line);
        return string.Join('\n', lines);
    }
}

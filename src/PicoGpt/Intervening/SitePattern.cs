using System.Text;
using System.Text.RegularExpressions;

namespace PicoGpt.Intervening;

/// <summary>Names of sites with PowerShell's wildcards: <c>*</c>, <c>?</c> and <c>[a-z]</c>, in any case.</summary>
internal static class SitePattern
{
    /// <summary>What tells whether a name is meant.</summary>
    public static Regex Of(string pattern)
    {
        var regex = new StringBuilder("^");
        for (int i = 0; i < pattern.Length; i++)
        {
            int close = pattern[i] == '[' ? pattern.IndexOf(']', i + 1) : -1;
            if (close > i + 1)
            {
                AppendSet(regex, pattern.AsSpan(i + 1, close - i - 1));
                i = close;
                continue;
            }

            regex.Append(pattern[i] switch { '*' => ".*", '?' => ".", char c => Regex.Escape(c.ToString()) });
        }

        return new Regex(regex.Append('$').ToString(), RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
    }

    private static void AppendSet(StringBuilder regex, ReadOnlySpan<char> set)
    {
        regex.Append('[');
        for (int i = 0; i < set.Length; i++)
        {
            bool isRange = i + 2 < set.Length && set[i + 1] == '-' && set[i] <= set[i + 2];
            AppendCharacter(regex, set[i]);
            if (!isRange) continue;
            regex.Append('-');
            AppendCharacter(regex, set[i += 2]);
        }

        regex.Append(']');
    }

    private static void AppendCharacter(StringBuilder regex, char c) => regex.Append(System.Globalization.CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
}

namespace PicoGpt.Foundation;

/// <summary>The names most like a misspelt one.</summary>
internal static class NearestNames
{
    private const int MaxComparedLength = 256;

    /// <summary>Up to <paramref name="count"/> names, the nearest first.</summary>
    public static IReadOnlyList<string> Find(string wanted, IEnumerable<string> names, int count) =>
        wanted.Length > MaxComparedLength
            ? []
            : [.. names.Where(name => name.Length <= MaxComparedLength).OrderBy(name => Distance(wanted, name)).Take(count)];

    /// <summary>Up to <paramref name="count"/> names that are at most <paramref name="distance"/> insertions, deletions and replacements away, in any case.</summary>
    public static IReadOnlyList<string> Within(int distance, string wanted, IEnumerable<string> names, int count)
    {
        string upper = wanted.ToUpperInvariant();
        return Find(wanted, names.Where(name => Math.Abs(name.Length - wanted.Length) <= distance && Distance(upper, name.ToUpperInvariant()) <= distance), count);
    }

    /// <summary>The fewest insertions, deletions and replacements of characters between two names (Levenshtein).</summary>
    private static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 0; i < a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i + 1;
            for (int j = 0; j < b.Length; j++)
            {
                int replaced = diagonal + (a[i] == b[j] ? 0 : 1);
                diagonal = row[j + 1];
                row[j + 1] = Math.Min(replaced, 1 + Math.Min(row[j], diagonal));
            }
        }

        return row[^1];
    }
}

namespace PicoGpt.Foundation;

/// <summary>As much of names and texts as a sentence has room for.</summary>
internal static class Excerpt
{
    /// <summary>The first of several names, and how many more there are: <c>a, b, c and 2 more</c>.</summary>
    public static string Of(IReadOnlyCollection<string> names, int max = 3) =>
        string.Join(", ", names.Take(max)) + (names.Count > max ? $" and {names.Count - max} more" : "");

    /// <summary>The same in quotes.</summary>
    public static string Quoted(IEnumerable<string> names, int max = 3) => Of([.. names.Select(name => $"'{name}'")], max);

    /// <summary>The beginning of a text.</summary>
    public static string Of(ReadOnlySpan<char> text, int max = 40) => text.Length <= max ? text.ToString() : $"{text[..max]}…";
}

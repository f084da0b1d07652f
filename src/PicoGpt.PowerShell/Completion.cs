using System.Management.Automation;
using System.Management.Automation.Language;
using System.Text;

namespace PicoGpt.PowerShell;

/// <summary>Words and quoting for argument completion.</summary>
internal static class Completion
{
    /// <summary>How long whoever presses Tab waits for a model's files.</summary>
    internal static TimeSpan Patience { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>What a model's files tell. A completer has nowhere to report to: where they are damaged, or tell it too late, they tell nothing.</summary>
    /// <typeparam name="T">What is told.</typeparam>
    /// <param name="read">Reads the files; it ends when it is cancelled, and on this thread, so that nothing goes on behind the prompt.</param>
    /// <returns>What was told; <see langword="null"/> where nothing was.</returns>
    public static T? Ask<T>(Func<CancellationToken, T?> read)
        where T : class
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            return read(patience.Token);
        }
        catch (Exception fault) when (fault is Gpt2Exception or RuntimeException or IOException or UnauthorizedAccessException or OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>The word without the quotes around it: while it is typed, only the first may be there.</summary>
    public static string Unquote(string? word)
    {
        word ??= "";
        if (OpeningQuote(word) is not { } quote) return word;
        string text = word.Length > 1 && IsSame(word[^1], quote) ? word[1..^1] : word[1..];
        return quote == '\'' ? text.Replace("''", "'", StringComparison.Ordinal) : text.Replace("`", "", StringComparison.Ordinal);
    }

    /// <summary>A result in the quotes that the word has, or in single ones where a bare word would not do.</summary>
    /// <param name="word">The word as it was typed.</param>
    /// <param name="value">What it is completed to.</param>
    /// <param name="tooltip">What is said of it.</param>
    public static CompletionResult Result(string? word, string value, string tooltip) =>
        new(Quote(value, OpeningQuote(word ?? "")), Format.Visible(value), CompletionResultType.ParameterValue, Format.Visible(tooltip));

    private static string Quote(string value, char? quote) => quote switch
    {
        null when IsBare(value) => value,
        '"' => DoubleQuoted(value),
        _ when value.EnumerateRunes().Any(VisibleText.IsShapeless) => DoubleQuoted(value), // only there have they a spelling
        _ => $"'{CodeGeneration.EscapeSingleQuotedStringContent(value)}'",
    };

    private static string DoubleQuoted(string value) => $"\"{string.Concat(value.EnumerateRunes().Select(Escape))}\"";

    private static string Escape(Rune rune) => rune.Value switch
    {
        '`' or '$' => $"`{rune}",
        < 0x10000 when OpeningQuote(rune.ToString()) == '"' => $"`{rune}",
        _ => VisibleText.IsShapeless(rune) ? $"`u{{{rune.Value:x}}}" : rune.ToString(),
    };

    private static bool IsBare(string value) =>
        value.Length > 0 && value[0] != '-' && value.All(c => char.IsLetterOrDigit(c) || c is '/' or '.' or '_' or '-');

    // PowerShell takes typographic quotes for straight ones.
    private static char? OpeningQuote(string word) => word.Length == 0 ? null : word[0] switch
    {
        '\'' or '‘' or '’' or '‚' or '‛' => '\'',
        '"' or '“' or '”' or '„' => '"',
        _ => null,
    };

    private static bool IsSame(char c, char quote) => OpeningQuote(c.ToString()) == quote;
}

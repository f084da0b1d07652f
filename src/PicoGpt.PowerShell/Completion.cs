using System.Management.Automation;
using System.Management.Automation.Language;

namespace PicoGpt.PowerShell;

/// <summary>Quoting for argument completion.</summary>
internal static class Completion
{
    /// <summary>The word without the quote that opens it.</summary>
    public static string Unquote(string word) => word.Trim('\'', '"');

    /// <summary>A result that is quoted where a bare word would not do.</summary>
    public static CompletionResult Result(string value, string tooltip)
    {
        bool bare = value.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '.' or '_' or '-');
        string text = bare ? value : $"'{CodeGeneration.EscapeSingleQuotedStringContent(value)}'";
        return new CompletionResult(text, value, CompletionResultType.ParameterValue, tooltip);
    }
}

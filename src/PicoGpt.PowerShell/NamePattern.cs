using System.Management.Automation;

namespace PicoGpt.PowerShell;

/// <summary>Names with wildcards: of models, weights, activations. The one place that says how they match: in any case, in every culture alike.</summary>
internal static class NamePattern
{
    /// <summary>The pattern of a name, which may have wildcards.</summary>
    public static WildcardPattern Of(string name) => new(name, WildcardOptions.IgnoreCase | WildcardOptions.CultureInvariant);

    /// <summary>The pattern of names that begin with a word as far as it is typed.</summary>
    public static WildcardPattern Begun(string? word) => Of(Completion.Unquote(word) + "*");

    /// <summary>Whether a name has wildcards.</summary>
    public static bool HasWildcards(string name) => WildcardPattern.ContainsWildcardCharacters(name);
}

namespace PicoGpt.HelpBuilder;

/// <summary>A parameter as its property declares it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type as PowerShell writes it.</param>
/// <param name="Words">The words of an enumeration; none for another type.</param>
/// <param name="Aliases">Its other names.</param>
/// <param name="TakesWildcards">Whether it takes wildcards.</param>
/// <param name="Uses">How the parameter sets use it.</param>
internal sealed record ParameterShape(
    string Name,
    string Type,
    IReadOnlyList<string> Words,
    IReadOnlyList<string> Aliases,
    bool TakesWildcards,
    IReadOnlyList<ParameterUse> Uses)
{
    /// <summary>Whether it takes no argument.</summary>
    public bool IsSwitch => Type == "switch";

    /// <summary>How a set uses it, or <see langword="null"/> where it does not.</summary>
    public ParameterUse? UseIn(string set) => Uses.FirstOrDefault(use => use.Set == set || use.Set == ParameterUse.AllSets);
}

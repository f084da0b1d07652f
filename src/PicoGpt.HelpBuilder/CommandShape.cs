namespace PicoGpt.HelpBuilder;

/// <summary>A command as its class declares it.</summary>
/// <param name="Verb">The first part of its name.</param>
/// <param name="Noun">The second part.</param>
/// <param name="Parameters">Its parameters, in the order of the class.</param>
internal sealed record CommandShape(string Verb, string Noun, IReadOnlyList<ParameterShape> Parameters)
{
    /// <summary>Its name.</summary>
    public string Name => $"{Verb}-{Noun}";

    /// <summary>The names of its parameter sets.</summary>
    public IReadOnlyList<string> Sets
    {
        get
        {
            string[] named = [.. Parameters.SelectMany(p => p.Uses).Select(use => use.Set).Where(set => set != ParameterUse.AllSets).Distinct()];
            return named.Length > 0 ? named : [ParameterUse.AllSets];
        }
    }
}

namespace PicoGpt.HelpBuilder;

/// <summary>How a parameter set uses a parameter: the arguments of one <c>[Parameter]</c>.</summary>
/// <param name="Set">The set's name, or <see cref="AllSets"/>.</param>
/// <param name="IsMandatory">Whether it must be given.</param>
/// <param name="Position">Its place, or <see langword="null"/> where it is given by name only.</param>
/// <param name="TakesValue">Whether it takes objects of the pipeline.</param>
/// <param name="TakesProperty">Whether it takes properties of objects of the pipeline.</param>
internal sealed record ParameterUse(string Set, bool IsMandatory, int? Position, bool TakesValue, bool TakesProperty)
{
    /// <summary>PowerShell's name for every set together.</summary>
    public const string AllSets = "__AllParameterSets";
}

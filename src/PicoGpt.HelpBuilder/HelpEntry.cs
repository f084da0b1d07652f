namespace PicoGpt.HelpBuilder;

/// <summary>A parameter, an input or an output of a help page.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Line">Where it stands.</param>
/// <param name="Text">What is said of it, a paragraph each.</param>
/// <param name="Default">The value a parameter has when it is left out, or <see langword="null"/>.</param>
internal sealed record HelpEntry(string Name, int Line, IReadOnlyList<string> Text, string? Default);

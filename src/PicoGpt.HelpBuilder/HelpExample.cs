namespace PicoGpt.HelpBuilder;

/// <summary>An example of a help page.</summary>
/// <param name="Title">What it shows, in some words.</param>
/// <param name="Code">What is typed and, after an empty line, what is shown.</param>
/// <param name="Remarks">What is said of it, a paragraph each.</param>
internal sealed record HelpExample(string Title, string Code, IReadOnlyList<string> Remarks);

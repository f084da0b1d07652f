namespace PicoGpt.HelpBuilder;

/// <summary>What a help page says of a command.</summary>
/// <param name="Path">The page's file.</param>
/// <param name="Name">The command.</param>
/// <param name="Synopsis">One sentence.</param>
/// <param name="Description">Paragraphs.</param>
/// <param name="Parameters">The parameters.</param>
/// <param name="Inputs">The types that the pipeline may bring.</param>
/// <param name="Outputs">The types that the command emits.</param>
/// <param name="Notes">Paragraphs; may be none.</param>
/// <param name="Examples">The examples.</param>
/// <param name="Links">Names of other commands and topics.</param>
internal sealed record HelpPage(
    string Path,
    string Name,
    string Synopsis,
    IReadOnlyList<string> Description,
    IReadOnlyList<HelpEntry> Parameters,
    IReadOnlyList<HelpEntry> Inputs,
    IReadOnlyList<HelpEntry> Outputs,
    IReadOnlyList<string> Notes,
    IReadOnlyList<HelpExample> Examples,
    IReadOnlyList<string> Links);

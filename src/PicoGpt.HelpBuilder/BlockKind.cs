namespace PicoGpt.HelpBuilder;

/// <summary>The kinds of Markdown block that a help page has.</summary>
internal enum BlockKind
{
    Heading,
    Paragraph,
    Item,
    Code,
}

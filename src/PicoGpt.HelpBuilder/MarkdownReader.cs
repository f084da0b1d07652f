using Markdig;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace PicoGpt.HelpBuilder;

/// <summary>Reads what help pages have of Markdown: headings, paragraphs, items and fenced code, as text without markup.</summary>
internal static class MarkdownReader
{
    /// <summary>Reads the blocks of a page.</summary>
    /// <exception cref="HelpSourceException">A fence is not closed, or the page has something else.</exception>
    public static IEnumerable<Block> Read(string path) => Markdown.Parse(File.ReadAllText(path)).SelectMany(block => Read(path, block));

    private static IEnumerable<Block> Read(string path, Markdig.Syntax.Block block) => block switch
    {
        HeadingBlock heading => [new Block(BlockKind.Heading, Text(path, heading.Inline!), Line(heading), heading.Level)],
        ParagraphBlock paragraph => [new Block(BlockKind.Paragraph, Text(path, paragraph.Inline!), Line(paragraph))],
        ListBlock list => list.OfType<ListItemBlock>().SelectMany(item => item).SelectMany(part => Read(path, part)).Select(part => part with { Kind = BlockKind.Item }),
        FencedCodeBlock { ClosingFencedCharCount: 0 } => throw new HelpSourceException(path, Line(block), "The code is not closed by ```."),
        FencedCodeBlock code => [new Block(BlockKind.Code, code.Lines.ToString(), Line(code))],
        _ => throw new HelpSourceException(path, Line(block), "Help pages have only headings, paragraphs, items and fenced code."),
    };

    private static int Line(Markdig.Syntax.Block block) => block.Line + 1;

    private static string Text(string path, ContainerInline line) => string.Concat(line.Select(inline => Text(path, inline)));

    private static string Text(string path, Inline inline) => inline switch
    {
        LiteralInline literal => literal.Content.ToString(),
        CodeInline code => code.Content,
        LineBreakInline => " ",
        ContainerInline container => Text(path, container),
        _ => throw new HelpSourceException(path, inline.Line + 1, "Help pages have only text, code spans, strong text and links within a line."),
    };
}

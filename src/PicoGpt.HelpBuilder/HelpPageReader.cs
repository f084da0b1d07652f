namespace PicoGpt.HelpBuilder;

/// <summary>
/// Reads help pages: the command as title, the synopsis under it, and sections Description, Parameters, Inputs, Outputs, Notes,
/// Examples and Links.
/// </summary>
internal sealed class HelpPageReader
{
    private const string DefaultMark = "Default: ";

    private readonly string _path;
    private readonly List<Block> _blocks;

    private HelpPageReader(string path)
    {
        _path = path;
        _blocks = [.. MarkdownReader.Read(path)];
    }

    /// <summary>Reads a page.</summary>
    /// <exception cref="HelpSourceException">Something is missing or not where it should be.</exception>
    public static HelpPage Read(string path) => new HelpPageReader(path).Read();

    private HelpPage Read()
    {
        if (_blocks is not [{ Kind: BlockKind.Heading, Level: 1 } title, { Kind: BlockKind.Paragraph } synopsis, ..])
            throw new HelpSourceException(_path, 1, "A page begins with the command as title and a paragraph that says what it does.");
        return new HelpPage(
            _path,
            title.Text,
            synopsis.Text,
            Texts(Section("Description")),
            Entries("Parameters"),
            Entries("Inputs"),
            Entries("Outputs"),
            HasSection("Notes") ? Texts(Section("Notes")) : [],
            [.. Parts("Examples").Select(part => Example(part.Heading, part.Body))],
            Texts(Section("Links")));
    }

    private bool HasSection(string name) => _blocks.Exists(block => IsHeading(block, name));

    private List<Block> Section(string name)
    {
        int heading = _blocks.FindIndex(block => IsHeading(block, name));
        if (heading < 0) throw new HelpSourceException(_path, 1, $"There is no section '{name}'.");
        return [.. _blocks.Skip(heading + 1).TakeWhile(block => block is not { Kind: BlockKind.Heading, Level: <= 2 })];
    }

    private static bool IsHeading(Block block, string name) => block is { Kind: BlockKind.Heading, Level: 2 } && block.Text == name;

    private IEnumerable<(Block Heading, List<Block> Body)> Parts(string section)
    {
        List<Block> blocks = Section(section);
        if (blocks.Count > 0 && blocks[0].Kind != BlockKind.Heading)
            throw new HelpSourceException(_path, blocks[0].Line, $"The section '{section}' begins with a heading of level 3.");
        for (int i = 0; i < blocks.Count; i++)
        {
            if (blocks[i].Kind == BlockKind.Heading)
                yield return (blocks[i], [.. blocks.Skip(i + 1).TakeWhile(block => block.Kind != BlockKind.Heading)]);
        }
    }

    private List<HelpEntry> Entries(string section) => [.. Parts(section).Select(part => Entry(part.Heading, part.Body))];

    private HelpEntry Entry(Block heading, List<Block> body)
    {
        Block? mark = body.Find(block => block.Text.StartsWith(DefaultMark, StringComparison.Ordinal));
        List<string> text = Texts(body.FindAll(block => block != mark));
        if (text.Count == 0) throw new HelpSourceException(_path, heading.Line, $"Nothing is said of {heading.Text}.");
        return new HelpEntry(heading.Text.TrimStart('-'), heading.Line, text, mark?.Text[DefaultMark.Length..].TrimEnd('.'));
    }

    // Examples are: code, what it shows, remarks.
    private HelpExample Example(Block heading, List<Block> body)
    {
        List<Block> code = body.FindAll(block => block.Kind == BlockKind.Code);
        if (code.Count == 0) throw new HelpSourceException(_path, heading.Line, "The example has no code.");
        return new HelpExample(
            heading.Text,
            string.Join("\n\n", code.Select(block => block.Text)),
            Texts(body.FindAll(block => block.Kind != BlockKind.Code)));
    }

    private List<string> Texts(List<Block> blocks) =>
    [
        .. blocks.Select(block => block.Kind switch
        {
            BlockKind.Paragraph => block.Text,
            BlockKind.Item => "- " + block.Text,
            _ => throw new HelpSourceException(_path, block.Line, "Only paragraphs and items may stand here."),
        }),
    ];
}

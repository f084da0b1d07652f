using System.Text.RegularExpressions;

namespace PicoGpt.HelpBuilder;

/// <summary>
/// Reads the little Markdown that help pages need (CommonMark): headings with #, paragraphs, items with a hyphen, fenced code, and
/// code spans, strong text and links within a line.
/// </summary>
internal static partial class MarkdownReader
{
    private const string Fence = "```";

    /// <summary>Reads the blocks of a page.</summary>
    /// <exception cref="HelpSourceException">A fence is not closed.</exception>
    public static IEnumerable<Block> Read(string path)
    {
        string[] lines = File.ReadAllLines(path);
        int next = 0;
        while (next < lines.Length)
        {
            int first = next;
            string line = lines[next++];
            if (string.IsNullOrWhiteSpace(line)) continue;
            if (line.StartsWith(Fence, StringComparison.Ordinal))
            {
                while (next < lines.Length && lines[next] != Fence) next++;
                if (next == lines.Length) throw new HelpSourceException(path, first + 1, $"The code is not closed by {Fence}.");
                yield return new Block(BlockKind.Code, string.Join('\n', lines[(first + 1)..next++]), first + 1);
            }
            else if (line[0] == '#')
            {
                int level = line.TakeWhile(c => c == '#').Count();
                yield return new Block(BlockKind.Heading, Plain(line[level..]), first + 1, level);
            }
            else
            {
                BlockKind kind = IsItem(line) ? BlockKind.Item : BlockKind.Paragraph;
                while (next < lines.Length && ContinuesText(lines[next])) next++;
                string text = string.Join(' ', lines[first..next].Select(l => l.Trim()));
                yield return new Block(kind, Plain(kind == BlockKind.Item ? text[2..] : text), first + 1);
            }
        }
    }

    private static bool IsItem(string line) => line.StartsWith("- ", StringComparison.Ordinal);

    private static bool ContinuesText(string line) =>
        !string.IsNullOrWhiteSpace(line) && line[0] != '#' && !IsItem(line) && !line.StartsWith(Fence, StringComparison.Ordinal);

    // Code spans keep every character; the rest loses its marks.
    private static string Plain(string text) =>
        string.Concat(text.Trim().Split('`').Select((part, index) => index % 2 == 1 ? part : Link().Replace(part, "$1").Replace("**", "")));

    [GeneratedRegex(@"\[([^]]+)\]\([^)]*\)")]
    private static partial Regex Link();
}

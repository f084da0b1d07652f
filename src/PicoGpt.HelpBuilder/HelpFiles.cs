using System.Xml.Linq;

namespace PicoGpt.HelpBuilder;

/// <summary>The help files of a module.</summary>
internal static class HelpFiles
{
    /// <summary>Writes the help of all commands that have a page, and copies the topics.</summary>
    /// <param name="pages">The folder of the pages <c>Verb-Noun.md</c> and the topics <c>about_*.help.txt</c>.</param>
    /// <param name="assembly">The assembly of the commands.</param>
    /// <param name="output">The folder of the help files.</param>
    /// <exception cref="HelpSourceException">A page is not as it should be, or describes something that does not exist.</exception>
    public static void Build(string pages, string assembly, string output)
    {
        IReadOnlyDictionary<string, CommandShape> commands = CommandReader.Read(assembly);
        XDocument maml = MamlWriter.Write(
            Directory.GetFiles(pages, "*-*.md").Order(StringComparer.Ordinal).Select(HelpPageReader.Read).Select(page => (page, Find(commands, page))));
        Directory.CreateDirectory(output);
        maml.Save(Path.Combine(output, $"{Path.GetFileName(assembly)}-Help.xml"));
        foreach (string topic in Directory.GetFiles(pages, "about_*.help.txt"))
            File.Copy(topic, Path.Combine(output, Path.GetFileName(topic)), overwrite: true);
    }

    private static CommandShape Find(IReadOnlyDictionary<string, CommandShape> commands, HelpPage page) =>
        commands.TryGetValue(page.Name, out CommandShape? command)
            ? command
            : throw new HelpSourceException(page.Path, 1, $"There is no command {page.Name}.");
}

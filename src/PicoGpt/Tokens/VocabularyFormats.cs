using PicoGpt.Files;

namespace PicoGpt.Tokens;

/// <summary>The kinds of vocabularies, in the order in which a folder is searched for them.</summary>
internal static class VocabularyFormats
{
    /// <summary>
    /// All of them. A <c>tokenizer.json</c> is taken before the two files that say a
    /// part of the same, as transformers does.
    /// </summary>
    public static IReadOnlyList<VocabularyFormat> All { get; } =
        [new BytePairFormat(VocabularyLayout.OpenAI), new TokenizerJsonFormat(), new BytePairFormat(VocabularyLayout.HuggingFace), new MetaPickleFormat()];

    /// <summary>Whether a folder has a vocabulary, or a part of one.</summary>
    public static bool IsIn(string folder) => FilesIn(folder) is not null;

    /// <summary>The full paths of the files of a folder's vocabulary, one of which at least is there; <see langword="null"/> where none is.</summary>
    public static IReadOnlyList<string>? FilesIn(string folder)
    {
        IReadOnlyList<string>? files = All.Select(format => format.FindIn(folder)).FirstOrDefault(files => files is not null);
        return files is null ? null : [.. files, .. AddedTokenFiles.FileNames.Select(name => Path.Combine(folder, name)).Where(File.Exists)];
    }

    /// <summary>Whether a file's name is one of a vocabulary's.</summary>
    public static bool IsNamed(string name) => All.Any(format => format.FileNames.Contains(name)) || AddedTokenFiles.FileNames.Contains(name);

    /// <summary>Opens the vocabulary of a folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="rowCount">The ids that the model has rows for; 0 where no model is known.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="Gpt2Exception">A file is missing or not as it should be, or the folder has a vocabulary of another kind.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static Tokenizer Open(string folder, int rowCount, CancellationToken cancellationToken = default)
    {
        VocabularyFormat format = All.FirstOrDefault(format => format.FindIn(folder) is not null) ?? throw ForeignVocabulary.FaultOf(folder) ?? None(folder);
        return format.Open(folder, rowCount, cancellationToken);
    }

    private static Gpt2Exception None(string folder) => new(
        Gpt2Error.FileNotFound,
        $"'{folder}' has no vocabulary: neither {string.Join(", nor ", All.Select(format => string.Join(" and ", format.FileNames)))};"
            + $"{RenameClause(folder, All.SelectMany(format => format.FileNames), ", or")} copy that of the model, such as GPT-2's own, into the folder.",
        folder);

    /// <summary>
    /// What of a folder may be one of some missing files under another name, such as <c>encoder.json.txt</c>, <c>merges (1).txt</c> and
    /// <c>aitextgen.tokenizer.json</c>, as a clause that stands before another advice; empty where nothing may.
    /// </summary>
    public static string RenameClause(string folder, IEnumerable<string> missing, string end)
    {
        if (!Directory.Exists(folder)) return "";
        string[] wanted = [.. missing.Distinct()];
        string[] like = [.. ReadableFolder.Files(folder, "*").Select(path => Path.GetFileName(path)).Where(name => !IsNamed(name) && wanted.Any(file => IsLike(name, file))).Order(StringComparer.Ordinal)];
        return like.Length == 0 ? "" : $" rename {Excerpt.Quoted(like)}, if that is it{end}";
    }

    private static bool IsLike(string name, string file) =>
        name.Contains(Path.GetFileNameWithoutExtension(file), StringComparison.OrdinalIgnoreCase) && name.Contains(Path.GetExtension(file), StringComparison.OrdinalIgnoreCase);
}

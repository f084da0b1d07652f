namespace PicoGpt.Tokens;

/// <summary>The kinds of vocabularies, in the order in which a folder is searched for them.</summary>
internal static class VocabularyFormats
{
    /// <summary>All of them; where a folder has none, the first says what is missing.</summary>
    public static IReadOnlyList<VocabularyFormat> All { get; } =
        [new BytePairFormat(VocabularyLayout.OpenAI), new BytePairFormat(VocabularyLayout.HuggingFace)];

    /// <summary>Whether a folder has a vocabulary, or a part of one.</summary>
    public static bool IsIn(string folder) => FilesIn(folder) is not null;

    /// <summary>The full paths of the files of a folder's vocabulary, one of which at least is there; <see langword="null"/> where none is.</summary>
    public static IReadOnlyList<string>? FilesIn(string folder) => All.Select(format => format.FindIn(folder)).FirstOrDefault(files => files is not null);

    /// <summary>Whether a file's name is one of a vocabulary's.</summary>
    public static bool IsNamed(string name) => All.Any(format => format.FileNames.Contains(name));

    /// <summary>Opens the vocabulary of a folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="rowCount">The ids that the model has rows for; 0 where no model is known.</param>
    /// <exception cref="Gpt2Exception">A file is missing or not as it should be.</exception>
    public static Tokenizer Open(string folder, int rowCount) =>
        (All.FirstOrDefault(format => format.FindIn(folder) is not null) ?? All[0]).Open(folder, rowCount);
}

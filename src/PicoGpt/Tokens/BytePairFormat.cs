namespace PicoGpt.Tokens;

/// <summary>Byte pairs in two files: the ids by spelling, and the merges by rank.</summary>
internal sealed class BytePairFormat(VocabularyLayout layout) : VocabularyFormat
{
    /// <summary>The names of the two files.</summary>
    public static (string Encoder, string Merges) NamesOf(VocabularyLayout layout) => layout switch
    {
        VocabularyLayout.HuggingFace => ("vocab.json", "merges.txt"),
        _ => ("encoder.json", "vocab.bpe"),
    };

    public override IReadOnlyList<string>? FindIn(string folder)
    {
        string[] paths = PathsIn(folder);
        return paths.Any(File.Exists) ? paths : null;
    }

    public override Tokenizer Open(string folder, int rowCount) => BytePairEncoder.Load(PathsIn(folder)[0], PathsIn(folder)[1], rowCount);

    private string[] PathsIn(string folder)
    {
        (string encoder, string merges) = NamesOf(layout);
        return [Path.Combine(folder, encoder), Path.Combine(folder, merges)];
    }
}

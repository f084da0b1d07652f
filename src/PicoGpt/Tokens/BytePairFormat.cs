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

    public override IReadOnlyList<string> FileNames => [NamesOf(layout).Encoder, NamesOf(layout).Merges];

    public override Tokenizer Open(string folder, int rowCount)
    {
        (string encoder, string merges) = NamesOf(layout);
        return BytePairEncoder.Load(Path.Combine(folder, encoder), Path.Combine(folder, merges), rowCount);
    }
}

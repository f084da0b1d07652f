namespace PicoGpt.Tokens;

/// <summary>Vocabularies of other kinds, which are known by the names of their files and called what they are.</summary>
internal static class ForeignVocabulary
{
    private static readonly (string Name, string What)[] Known =
    [
        ("vocab.txt", "the WordPiece vocabulary of a BERT tokenizer"),
        ("spiece.model", "a SentencePiece model"),
        ("sentencepiece.bpe.model", "a SentencePiece model"),
        ("tokenizer.model", "a SentencePiece model"),
    ];

    /// <summary>What a file's name says of it; <see langword="null"/> for any other file.</summary>
    public static string? KindOf(string name) => Known.FirstOrDefault(known => known.Name == name).What;

    /// <summary>The fault of a folder that has such a vocabulary; <see langword="null"/> where it has none.</summary>
    public static Gpt2Exception? FaultOf(string folder) =>
        Known.Select(known => Path.Combine(folder, known.Name)).FirstOrDefault(File.Exists) is { } path ? FaultOfFile(path) : null;

    /// <summary>The fault of such a file.</summary>
    public static Gpt2Exception FaultOfFile(string path) => new(
        Gpt2Error.Unsupported,
        $"'{path}' is {KindOf(Path.GetFileName(path))}; the tokenizers that are read are those of byte-level byte pairs, as GPT-2's own: "
            + "encoder.json with vocab.bpe, vocab.json with merges.txt, or tokenizer.json. The weights can be inspected and exported without one.",
        path);
}

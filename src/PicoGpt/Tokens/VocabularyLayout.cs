namespace PicoGpt.Tokens;

/// <summary>By whose names the files of a vocabulary go.</summary>
internal enum VocabularyLayout
{
    /// <summary><c>encoder.json</c> and <c>vocab.bpe</c>.</summary>
    OpenAI,

    /// <summary><c>vocab.json</c> and <c>merges.txt</c>.</summary>
    HuggingFace,
}

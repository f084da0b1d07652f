namespace PicoGpt.Tokens;

/// <summary>What a folder's files add to its vocabulary, and say of it.</summary>
/// <param name="Tokens">The tokens that are found in a text before the rest of it is cut up.</param>
/// <param name="Roles">What special tokens are for: their spellings by <see cref="TokenRoles"/>.</param>
internal sealed record AddedVocabulary(IReadOnlyList<AddedToken> Tokens, IReadOnlyDictionary<string, string> Roles)
{
    // The classes whose vocab.json and merges.txt mean what GPT-2's mean.
    private static readonly string[] ByteLevelClasses = ["GPT2Tokenizer", "CodeGenTokenizer", "PreTrainedTokenizer", "TokenizersBackend"];

    /// <summary>The ids that stand before every text.</summary>
    public IReadOnlyList<int> Prefix { get; init; } = [];

    /// <summary>Whether a text is read as if it began with a space; <see langword="null"/> where nothing is said.</summary>
    public bool? AddPrefixSpace { get; init; }

    /// <summary>The class of the tokenizer in transformers, and the file that says so, where one does.</summary>
    public (string Name, string Path)? TokenizerClass { get; init; }

    /// <summary>Throws where the two files of byte pairs are another class's, which cuts texts up in another way.</summary>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.Unsupported"/>.</exception>
    public void RequireByteLevel()
    {
        if (TokenizerClass is not (string name, string path)) return;
        string plain = name.EndsWith("Fast", StringComparison.Ordinal) ? name[..^"Fast".Length] : name;
        if (ByteLevelClasses.Contains(plain)) return;
        throw new Gpt2Exception(
            Gpt2Error.Unsupported,
            $"'{path}' says tokenizer_class = {name}, which cuts texts up in another way than GPT-2; save the tokenizer as a tokenizer.json, if it is one of byte-level byte pairs.",
            path);
    }
}

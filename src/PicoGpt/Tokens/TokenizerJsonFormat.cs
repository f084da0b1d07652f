namespace PicoGpt.Tokens;

/// <summary>A whole tokenizer in one file, which is all that transformers writes since its version 5.</summary>
internal sealed class TokenizerJsonFormat : VocabularyFormat
{
    public override IReadOnlyList<string> FileNames => [TokenizerJson.FileName];

    public override Tokenizer Open(string folder, int rowCount, CancellationToken cancellationToken)
    {
        string path = Path.Combine(folder, TokenizerJson.FileName);
        using TokenizerJson file = TokenizerJson.Open(path);
        try
        {
            return Open(file, folder, rowCount, cancellationToken);
        }
        catch (InvalidOperationException fault) // half a surrogate pair in a name or a text
        {
            throw file.Bad("has a text that is not valid Unicode", fault);
        }
    }

    private static BytePairEncoder Open(TokenizerJson file, string folder, int rowCount, CancellationToken cancellationToken)
    {
        file.RequireByteLevel();
        Dictionary<string, int> ids = file.ReadVocabulary(cancellationToken);
        MergeTable merges = file.ReadMerges(cancellationToken);
        AddedVocabulary added = AddedTokenFiles.Read(folder, ids, file.ReadAddedTokens(), cancellationToken);
        var tokenizer = new BytePairEncoder(file.Path, ids, merges, added.Tokens)
        {
            Files = [file.Path],
            RowCount = rowCount,
            Roles = added.Roles,
            Prefix = file.ReadPrefix() is { Count: > 0 } prefix ? prefix : added.Prefix,
            AddPrefixSpace = added.AddPrefixSpace ?? file.AddsPrefixSpace,
        };
        tokenizer.RequireMerges(file.Path);
        return tokenizer;
    }
}

namespace PicoGpt.Tokens;

/// <summary>Byte pairs in two files: the ids by spelling, and the merges by rank; and what the files beside them add.</summary>
internal sealed class BytePairFormat(VocabularyLayout layout) : VocabularyFormat
{
    /// <summary>The names of the two files.</summary>
    public static (string Encoder, string Merges) NamesOf(VocabularyLayout layout) => layout switch
    {
        VocabularyLayout.HuggingFace => ("vocab.json", "merges.txt"),
        _ => ("encoder.json", "vocab.bpe"),
    };

    public override IReadOnlyList<string> FileNames => [NamesOf(layout).Encoder, NamesOf(layout).Merges];

    public override Tokenizer Open(string folder, int rowCount, CancellationToken cancellationToken)
    {
        (string encoder, string merges) = (Path.Combine(folder, FileNames[0]), Path.Combine(folder, FileNames[1]));
        (Dictionary<string, int> ids, AddedVocabulary added, MergeTable table) = Read(folder, encoder, merges, cancellationToken);
        var tokenizer = new BytePairEncoder(encoder, ids, table, added.Tokens)
        {
            Files = [encoder, merges],
            RowCount = rowCount,
            Roles = added.Roles,
            Prefix = added.Prefix,
            AddPrefixSpace = added.AddPrefixSpace ?? false,
        };
        tokenizer.RequireMerges(merges);
        return tokenizer;
    }

    // The merges beside the rest, since all of it stands before every first token. Of two faults that of the merges is not told.
    private static (Dictionary<string, int> Ids, AddedVocabulary Added, MergeTable Merges) Read(string folder, string encoder, string merges, CancellationToken cancellationToken)
    {
        Task<MergeTable> table = Task.Run(() => VocabularyFiles.ReadMerges(merges, cancellationToken), CancellationToken.None);
        try
        {
            Dictionary<string, int> ids = VocabularyFiles.ReadEncoder(encoder, cancellationToken);
            AddedVocabulary added = AddedTokenFiles.Read(folder, ids, declared: [], cancellationToken);
            added.RequireByteLevel();
            return (ids, added, table.GetAwaiter().GetResult());
        }
        finally
        {
            Task.WhenAny(table).Wait(CancellationToken.None);
            _ = table.Exception; // seen
        }
    }
}

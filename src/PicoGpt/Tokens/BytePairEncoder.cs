using System.Text;

namespace PicoGpt.Tokens;

/// <summary>
/// GPT-2's byte-level byte-pair encoding: text to token ids and back, by a model's <c>encoder.json</c> and
/// <c>vocab.bpe</c>. It never changes and may be shared by any number of threads.
/// </summary>
public sealed class BytePairEncoder : Tokenizer
{
    private const int StackBytes = 256;

    private readonly MergeTable _merges;
    private readonly IPieceScanner _scanner;
    private readonly int[] _idOfSymbol;
    private readonly Dictionary<int, string> _symbolOfId;

    /// <param name="location">What sentences call the vocabulary.</param>
    /// <param name="ids">The ids by spelling; at least one.</param>
    /// <param name="merges">The merges.</param>
    /// <param name="added">The tokens that are found before bytes are merged; <see langword="null"/> for the end of text alone, if it is there.</param>
    /// <param name="scanner">What cuts a text into pieces; <see langword="null"/> for GPT-2's pattern.</param>
    internal BytePairEncoder(
        string location, Dictionary<string, int> ids, MergeTable merges, IReadOnlyList<AddedToken>? added = null, IPieceScanner? scanner = null)
        : base(location, added ?? EndOfTextIn(ids))
    {
        _merges = merges;
        _scanner = scanner ?? Gpt2PieceScanner.Instance;
        _idOfSymbol = [.. _merges.Symbols.Select(symbol => ids.GetValueOrDefault(symbol, -1))];
        _symbolOfId = ids.ToDictionary(pair => pair.Value, pair => pair.Key);
        foreach (AddedToken token in added ?? []) _symbolOfId.TryAdd(token.Id, token.Text);
        (MinId, MaxId) = (_symbolOfId.Keys.Min(), _symbolOfId.Keys.Max());
    }

    /// <inheritdoc/>
    public override int Count => _symbolOfId.Count;

    /// <inheritdoc/>
    public override int MinId { get; }

    /// <inheritdoc/>
    public override int MaxId { get; }

    /// <summary>The spellings by id.</summary>
    internal IReadOnlyDictionary<int, string> Symbols => _symbolOfId;

    /// <summary>The merges, the first before all others.</summary>
    internal IEnumerable<(string Left, string Right)> Merges => _merges.Pairs;

    /// <summary>Reads a vocabulary.</summary>
    /// <param name="encoderPath">The <c>encoder.json</c>: an object of ids by spelling.</param>
    /// <param name="mergesPath">The <c>vocab.bpe</c>: one merge a line, by rank.</param>
    /// <returns>The encoder.</returns>
    /// <exception cref="Gpt2Exception">A file is missing or not as it should be.</exception>
    public static BytePairEncoder Load(string encoderPath, string mergesPath) => Load(encoderPath, mergesPath, rowCount: 0);

    /// <inheritdoc cref="Load(string, string)"/>
    internal static BytePairEncoder Load(string encoderPath, string mergesPath, int rowCount) =>
        new(encoderPath, VocabularyFiles.ReadEncoder(encoderPath), VocabularyFiles.ReadMerges(mergesPath)) { Files = [encoderPath, mergesPath], RowCount = rowCount };

    internal override IReadOnlyList<(string Name, byte[] Content)> FilesFor(VocabularyLayout layout)
    {
        (string encoder, string merges) = BytePairFormat.NamesOf(layout);
        return Files is [string encoderPath, string mergesPath]
            ? [(encoder, VocabularyFiles.Read(encoderPath)), (merges, VocabularyFiles.Read(mergesPath))]
            : [(encoder, VocabularyFiles.FormatEncoder(this)), (merges, VocabularyFiles.FormatMerges(this))];
    }

    private protected override byte[]? TryGetBytes(int id) =>
        _symbolOfId.TryGetValue(id, out string? symbol) ? ByteAlphabet.TryDecode(symbol) ?? Encoding.UTF8.GetBytes(symbol) : null;

    private protected override string? TryGetSymbol(int id) => _symbolOfId.GetValueOrDefault(id);

    private static AddedToken[] EndOfTextIn(Dictionary<string, int> ids) =>
        ids.TryGetValue(EndOfTextSymbol, out int id) ? [new AddedToken(EndOfTextSymbol, id, IsSpecial: true)] : [];

    private protected override void EncodeOrdinary(ReadOnlySpan<char> text, List<int> ids)
    {
        while (!text.IsEmpty)
        {
            int length = _scanner.NextLength(text);
            EncodePiece(text[..length], ids);
            text = text[length..];
        }
    }

    private void EncodePiece(ReadOnlySpan<char> piece, List<int> ids)
    {
        int most = Encoding.UTF8.GetMaxByteCount(piece.Length);
        Span<byte> bytes = most <= StackBytes ? stackalloc byte[StackBytes] : new byte[most];
        Span<int> symbols = most <= StackBytes ? stackalloc int[StackBytes] : new int[most];
        int count = Encoding.UTF8.GetBytes(piece, bytes);
        for (int i = 0; i < count; i++) symbols[i] = bytes[i]; // the first 256 symbols are the bytes
        count = _merges.Apply(symbols[..count]);
        foreach (int symbol in symbols[..count]) ids.Add(IdOf(symbol));
    }

    private int IdOf(int symbol) => _idOfSymbol[symbol] >= 0
        ? _idOfSymbol[symbol]
        : throw new Gpt2Exception(
            Gpt2Error.InvalidToken,
            $"The vocabulary '{Location}' has no token '{_merges.Symbols[symbol]}', of which the text would need one; "
                + "is it the encoder.json that belongs to the vocab.bpe beside it?",
            Location);
}

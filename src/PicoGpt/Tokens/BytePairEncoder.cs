using System.Text;

namespace PicoGpt.Tokens;

/// <summary>
/// GPT-2's byte-level byte-pair encoding: text to token ids and back, by a model's <c>encoder.json</c> and
/// <c>vocab.bpe</c>. It never changes and may be shared by any number of threads.
/// </summary>
public sealed class BytePairEncoder : Tokenizer
{
    private const int StackBytes = 256;

    // Tokens that no merge makes: so many are somebody's own, and of more than one in so many the merges are missing.
    private const int ToleratedCount = 8, ToleratedShare = 10;

    private readonly MergeTable _merges;
    private readonly IPieceScanner _scanner;
    private readonly int[] _idOfSymbol;
    private readonly int _longer, _unmade; // tokens of several characters, and those of them that no merge makes
    private readonly TokenTable _symbols;

    /// <param name="location">What sentences call the vocabulary.</param>
    /// <param name="ids">The ids by spelling; at least one.</param>
    /// <param name="merges">The merges.</param>
    /// <param name="added">The tokens that are found before bytes are merged; <see langword="null"/> for the end of text alone, if it is there.</param>
    /// <param name="scanner">What cuts a text into pieces; <see langword="null"/> for GPT-2's pattern.</param>
    /// <exception cref="Gpt2Exception">Two tokens have one id, or a token has two.</exception>
    internal BytePairEncoder(
        string location, Dictionary<string, int> ids, MergeTable merges, IReadOnlyList<AddedToken>? added = null, IPieceScanner? scanner = null)
        : base(location, added ?? EndOfTextIn(ids))
    {
        _merges = merges;
        _scanner = scanner ?? Gpt2PieceScanner.Instance;
        _idOfSymbol = new int[merges.SymbolCount];
        Array.Fill(_idOfSymbol, -1);
        foreach ((string symbol, int id) in ids)
        {
            int number = merges.FindSymbol(symbol);
            if (number >= 0) _idOfSymbol[number] = id;
            if (symbol.Length > 1 && !IsMark(symbol)) (_longer, _unmade) = (_longer + 1, _unmade + (merges.Makes(number) ? 0 : 1));
        }

        foreach (AddedToken token in Added)
        {
            if (token.Text.Length > 1 && !IsMark(token.Text) && ids.ContainsKey(token.Text))
                (_longer, _unmade) = (_longer - 1, _unmade - (merges.Makes(merges.FindSymbol(token.Text)) ? 0 : 1));
        }

        _symbols = new TokenTable(ids);
        if (_symbols.Shared is (int shared, string one, string other))
            throw Contradiction(Gpt2Error.NotAFormat, $"gives the id {shared} to two tokens, '{Excerpt.Of(one)}' and '{Excerpt.Of(other)}'");
        RequireOneIdEach(ids);
        (Count, MinId, MaxId) = (_symbols.Count, _symbols.MinId, _symbols.MaxId);
        foreach (AddedToken token in Added)
        {
            if (_symbols.Find(token.Id) is null) (Count, MinId, MaxId) = (Count + 1, Math.Min(MinId, token.Id), Math.Max(MaxId, token.Id));
        }
    }

    /// <inheritdoc/>
    public override int Count { get; }

    /// <inheritdoc/>
    public override int MinId { get; }

    /// <inheritdoc/>
    public override int MaxId { get; }

    /// <summary>The spellings by id, without those of added tokens that are not of the vocabulary itself.</summary>
    internal IReadOnlyCollection<KeyValuePair<int, string>> Symbols => _symbols;

    /// <summary>The merges, the first before all others.</summary>
    internal IEnumerable<(string Left, string Right)> Merges => _merges.Pairs;

    /// <summary>Reads a vocabulary.</summary>
    /// <param name="encoderPath">The <c>encoder.json</c>: an object of ids by spelling.</param>
    /// <param name="mergesPath">The <c>vocab.bpe</c>: one merge per line, by rank.</param>
    /// <returns>The encoder.</returns>
    /// <exception cref="Gpt2Exception">A file is missing or not as it should be.</exception>
    public static BytePairEncoder Load(string encoderPath, string mergesPath)
    {
        var encoder = new BytePairEncoder(encoderPath, VocabularyFiles.ReadEncoder(encoderPath), VocabularyFiles.ReadMerges(mergesPath))
        {
            Files = [encoderPath, mergesPath],
        };
        encoder.RequireMerges(mergesPath);
        return encoder;
    }

    /// <summary>
    /// Throws where merges are missing: those that are there cannot make the vocabulary's tokens. A few that no merge makes are tokens that
    /// somebody added by hand.
    /// </summary>
    /// <param name="mergesPath">The file of the merges.</param>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.Truncated"/>.</exception>
    internal void RequireMerges(string mergesPath)
    {
        if (_unmade <= Math.Max(ToleratedCount, _longer / ToleratedShare)) return;
        throw new Gpt2Exception(Gpt2Error.Truncated, $"{Unmade(mergesPath)}; {Gpt2Exception.CopyAgain}.", mergesPath);
    }

    internal override string? Doubt => _unmade <= ToleratedCount ? null : $"{Unmade(Files is [.., var merges] ? merges : Location)}, or somebody added tokens to that.";

    private string Unmade(string mergesPath) =>
        FormattableString.Invariant($"'{mergesPath}' has {_merges.Count:N0} merges, from which {_unmade:N0} of the {_longer:N0} longer tokens of '{Location}' can never come: ")
            + "it was cut short, saved in another code page, or belongs to another vocabulary";

    // <pad>, [MASK]: special tokens of vocabularies whose other files are not there to say so.
    private static bool IsMark(string symbol) => symbol is ['<', .., '>'] or ['[', .., ']'];

    internal override IReadOnlyList<(string Name, byte[] Content)> FilesFor(VocabularyLayout layout)
    {
        (string encoder, string merges) = BytePairFormat.NamesOf(layout);
        IEnumerable<(string, byte[])> files = Files is [string encoderPath, string mergesPath]
            ? [(encoder, VocabularyFiles.Read(encoderPath)), (merges, VocabularyFiles.Read(mergesPath))]
            : [(encoder, VocabularyFiles.FormatEncoder(this)), (merges, VocabularyFiles.FormatMerges(this))];
        return [.. files, .. AddedTokenFiles.Format(this)];
    }

    internal override int MaxIdOfVocabulary => _symbols.MaxId;

    /// <summary>Whether an added token is one of the vocabulary itself too, which a file of its own need not tell.</summary>
    internal bool IsOfVocabulary(AddedToken token) => _symbols.Find(token.Id) is not null;

    private protected override byte[]? TryGetBytes(int id) =>
        _symbols.Find(id) is { } symbol ? ByteAlphabet.TryDecode(symbol) ?? Encoding.UTF8.GetBytes(symbol) : null;

    private protected override string? TryGetSymbol(int id) => _symbols.Find(id);

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
            $"The vocabulary '{Location}' has no token '{_merges.SpellingOf(symbol)}', which the text would need; "
                + "do its tokens and its merges belong together?",
            Location);

    private void RequireOneIdEach(Dictionary<string, int> ids)
    {
        foreach (AddedToken token in Added)
        {
            if (ids.TryGetValue(token.Text, out int other) && other != token.Id)
                throw Contradiction(Gpt2Error.Corrupt, $"gives '{Excerpt.Of(token.Text)}' the id {other}, but it is added with the id {token.Id}");
            if (_symbols.Find(token.Id) is { } symbol && symbol != token.Text)
                throw Contradiction(Gpt2Error.Corrupt, $"gives the id {token.Id} to '{Excerpt.Of(symbol)}', but '{Excerpt.Of(token.Text)}' is added with it");
        }
    }

    private Gpt2Exception Contradiction(Gpt2Error error, string what) =>
        new(error, $"'{Location}' {what}; copy all files of the vocabulary again from one place.", Location);
}

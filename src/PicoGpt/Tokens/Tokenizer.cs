using System.Buffers;
using System.Collections.ObjectModel;
using System.Text;

namespace PicoGpt.Tokens;

/// <summary>
/// A vocabulary: text to token ids and back. It never changes and may be shared by any number of threads.
/// </summary>
public abstract class Tokenizer
{
    /// <summary>The spelling of the token that separates texts.</summary>
    public const string EndOfTextSymbol = "<|endoftext|>";

    // Their characters are kept in memory one by one, so that all of them can be looked for at once.
    private const int MaxAddedCharacters = 1 << 20;

    private readonly AddedTokens _added;
    private readonly Lazy<int[]> _padding;

    /// <param name="location">What sentences call it: its file, or the first of them.</param>
    /// <param name="added">The tokens that are found in a text before the rest of it is cut up.</param>
    private protected Tokenizer(string location, params IReadOnlyList<AddedToken> added)
    {
        Location = location;
        RequireSize(added);
        _added = new AddedTokens(added);
        _padding = new Lazy<int[]>(() => [.. Enumerable.Range(0, RowCount).Where(id => !HasToken(id))]);
        EndOfText = _added.Find(EndOfTextSymbol)?.Id;
    }

    /// <summary>The number of tokens in the vocabulary.</summary>
    public abstract int Count { get; }

    /// <summary>The least id.</summary>
    public abstract int MinId { get; }

    /// <summary>The greatest id; ids need not be without gaps.</summary>
    public abstract int MaxId { get; }

    /// <summary>The id of <c>&lt;|endoftext|&gt;</c>, or <see langword="null"/> where the vocabulary has none.</summary>
    public int? EndOfText { get; }

    /// <summary>The ids of the tokens that are not part of a text but say something about it, by their spelling, such as <c>&lt;|endoftext|&gt;</c>.</summary>
    public IReadOnlyDictionary<string, int> SpecialTokens => _added.Special;

    /// <summary>The ids up to, not including, which a model has rows for: those without a token are its padding, and mean nothing.</summary>
    internal int RowCount { get; init; }

    /// <summary>The ids of the padding: a model has rows for them, but no token has them.</summary>
    internal IReadOnlyList<int> PaddingIds => _padding.Value;

    /// <summary>What sentences call it: its file, or the first of them.</summary>
    internal string Location { get; }

    /// <summary>The full paths of the files that it was read from.</summary>
    internal IReadOnlyList<string> Files { get; init; } = [];

    /// <summary>The tokens that are found in a text before the rest of it is cut up.</summary>
    internal IReadOnlyList<AddedToken> Added => _added.All;

    /// <summary>What special tokens are for: their spellings by <see cref="TokenRoles"/>.</summary>
    internal IReadOnlyDictionary<string, string> Roles { get; init; } = ReadOnlyDictionary<string, string>.Empty;

    /// <summary>The ids that stand before every text which a model reads (<c>add_bos_token</c>); most vocabularies have none.</summary>
    internal IReadOnlyList<int> Prefix { get; init; } = [];

    /// <summary>Whether a text, and what follows an added token, is read as if it began with a space (<c>add_prefix_space</c>).</summary>
    internal bool AddPrefixSpace { get; init; }

    /// <summary>Reads the vocabulary of a model's folder.</summary>
    /// <param name="path">
    /// A folder with <c>encoder.json</c> and <c>vocab.bpe</c>, with the same files under Hugging Face's names, <c>vocab.json</c> and
    /// <c>merges.txt</c>, or with a <c>tokenizer.json</c>; or one of these files. What <c>tokenizer_config.json</c>,
    /// <c>added_tokens.json</c> and <c>special_tokens_map.json</c> beside them add is read too.
    /// </param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>The tokenizer.</returns>
    /// <exception cref="Gpt2Exception">A file is missing or not as it should be, or asks for another kind of tokenizer.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static Tokenizer Load(string path, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        bool isFile = File.Exists(path) && VocabularyFormats.IsNamed(Path.GetFileName(path));
        return VocabularyFormats.Open(isFile ? Path.GetDirectoryName(Path.GetFullPath(path))! : path, rowCount: 0, cancellationToken);
    }

    /// <summary>Turns text into token ids. Unpaired surrogates become U+FFFD.</summary>
    /// <param name="text">The text.</param>
    /// <param name="allowSpecial">
    /// Take <c>&lt;|endoftext|&gt;</c> in the text for that token; otherwise it is ordinary characters. Tokens that the files of a model add to
    /// its vocabulary, such as <c>&lt;|SEP|&gt;</c>, are found always.
    /// </param>
    /// <returns>The ids.</returns>
    /// <exception cref="Gpt2Exception">The vocabulary has no token for a part of the text.</exception>
    public int[] Encode(string text, bool allowSpecial = false)
    {
        ArgumentNullException.ThrowIfNull(text);
        List<int> ids = new(text.Length / 3);
        ids.AddRange(Prefix);
        foreach (TextSection section in _added.Split(text, allowSpecial)) Encode(text, section, ids);
        return [.. ids];
    }

    /// <summary>Turns text into tokens that know where they stand in it.</summary>
    /// <param name="text">The text.</param>
    /// <param name="allowSpecial">Take <c>&lt;|endoftext|&gt;</c> in the text for that token, as in <see cref="Encode(string, bool)"/>.</param>
    /// <returns>The tokens, in order.</returns>
    /// <exception cref="Gpt2Exception">The vocabulary has no token for a part of the text.</exception>
    public IReadOnlyList<Gpt2Token> Tokenize(string text, bool allowSpecial = false) => Tokenize(text, allowSpecial, withPrefix: true);

    /// <summary>Turns text into tokens that know where they stand in it.</summary>
    /// <param name="text">The text.</param>
    /// <param name="allowSpecial">Take <c>&lt;|endoftext|&gt;</c> in the text for that token.</param>
    /// <param name="withPrefix">Whether <see cref="Prefix"/> stands before it.</param>
    internal IReadOnlyList<Gpt2Token> Tokenize(string text, bool allowSpecial, bool withPrefix)
    {
        ArgumentNullException.ThrowIfNull(text);
        List<Gpt2Token> tokens = [];
        foreach (int id in withPrefix ? Prefix : []) tokens.Add(TokenOf(tokens.Count, id, GetBytes(id), start: 0, length: 0));
        List<int> ids = [];
        foreach (TextSection section in _added.Split(text, allowSpecial))
        {
            ids.Clear();
            Encode(text, section, ids);
            if (section.Token is not null) tokens.Add(TokenOf(tokens.Count, ids[0], GetBytes(ids[0]), section.Start, section.Length));
            else Place(text, section, ids, tokens);
        }

        return tokens;
    }

    /// <summary>Turns token ids into text; bytes that are not UTF-8 become U+FFFD.</summary>
    /// <param name="ids">The ids.</param>
    /// <returns>The text.</returns>
    /// <exception cref="Gpt2Exception">No token has one of the ids.</exception>
    public string Decode(params ReadOnlySpan<int> ids)
    {
        var bytes = new ArrayBufferWriter<byte>();
        foreach (int id in ids) bytes.Write(GetBytes(id));
        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    /// <inheritdoc cref="Decode(ReadOnlySpan{int})"/>
    public string Decode(IEnumerable<int> ids) => Decode([.. ids]);

    /// <summary>The bytes of a token; a special token's are its spelling, and a padding id has none.</summary>
    /// <param name="id">The token's id.</param>
    /// <returns>A new array.</returns>
    /// <exception cref="Gpt2Exception">No token has the id.</exception>
    public byte[] GetBytes(int id) => _added.Find(id) is { } added ? Encoding.UTF8.GetBytes(added.Text) : TryGetBytes(id) ?? Padding(id, Array.Empty<byte>());

    /// <summary>A token's text as it is by itself: a part of a character becomes U+FFFD.</summary>
    /// <param name="id">The token's id.</param>
    /// <returns>The text.</returns>
    /// <exception cref="Gpt2Exception">No token has the id.</exception>
    public string GetText(int id) => Encoding.UTF8.GetString(GetBytes(id));

    /// <summary>A token's spelling in the vocabulary, such as <c>Ġhello</c>.</summary>
    /// <param name="id">The token's id.</param>
    /// <returns>The spelling.</returns>
    /// <exception cref="Gpt2Exception">No token has the id.</exception>
    public string GetSymbol(int id) => _added.Find(id)?.Text ?? TryGetSymbol(id) ?? Padding(id, "");

    /// <summary>A token by itself.</summary>
    internal Gpt2Token TokenOf(int id) => TokenOf(0, id, GetBytes(id), start: 0, GetText(id).Length);

    /// <summary>Whether a token is special: no part of a text, but a mark in it.</summary>
    internal bool IsSpecial(int id) => _added.Find(id) is { IsSpecial: true };

    /// <summary>The id of the token that is for something; <see langword="null"/> where none is.</summary>
    /// <param name="role">What for, one of <see cref="TokenRoles"/>.</param>
    internal int? IdOf(string role) => Roles.TryGetValue(role, out string? text) ? _added.Find(text)?.Id : null;

    /// <summary>Whether a token has the id.</summary>
    internal bool HasToken(int id) => _added.Find(id) is not null || TryGetSymbol(id) is not null;

    /// <summary>The greatest id of the vocabulary itself. Tokens that are added to it may have greater ones, which the model has no rows for until somebody trains them.</summary>
    internal abstract int MaxIdOfVocabulary { get; }

    /// <summary>What is suspicious about the vocabulary's files, in a sentence; <see langword="null"/> where nothing is.</summary>
    internal virtual string? Doubt => null;

    /// <summary>The vocabulary as files, by the names of a layout.</summary>
    /// <exception cref="Gpt2Exception">It cannot be read any more, or there are no files that could say what it is.</exception>
    internal abstract IReadOnlyList<(string Name, byte[] Content)> FilesFor(VocabularyLayout layout);

    /// <summary>Adds the ids of a text without added tokens.</summary>
    private protected abstract void EncodeOrdinary(ReadOnlySpan<char> text, List<int> ids);

    /// <summary>The bytes of a token that was not added; <see langword="null"/> where there is none of that id.</summary>
    private protected abstract byte[]? TryGetBytes(int id);

    /// <summary>The spelling of a token that was not added; <see langword="null"/> where there is none of that id.</summary>
    private protected abstract string? TryGetSymbol(int id);

    private void RequireSize(IReadOnlyList<AddedToken> added)
    {
        long characters = 0;
        foreach (AddedToken token in added) characters += token.Text.Length;
        if (characters <= MaxAddedCharacters) return;
        throw new Gpt2Exception(
            Gpt2Error.Unsupported,
            FormattableString.Invariant($"The vocabulary '{Location}' has {added.Count:N0} added tokens of {characters:N0} characters together, where {MaxAddedCharacters:N0} are the most."),
            Location);
    }

    private void Encode(string text, TextSection section, List<int> ids)
    {
        ReadOnlySpan<char> part = text.AsSpan(section.Start, section.Length);
        if (section.Token is { } token) ids.Add(token.Id);
        else if (BeginsWithAddedSpace(text, section)) EncodeOrdinary($" {part}", ids);
        else EncodeOrdinary(part, ids);
    }

    private bool BeginsWithAddedSpace(string text, TextSection section) => AddPrefixSpace && text[section.Start] != ' ';

    private void Place(string text, TextSection section, List<int> ids, List<Gpt2Token> tokens)
    {
        int position = section.Start; // of the next character, in UTF-16 units
        int characterByte = 0; // of the same, in UTF-8 bytes
        int tokenEnd = BeginsWithAddedSpace(text, section) ? -1 : 0;
        foreach (int id in ids)
        {
            byte[] bytes = GetBytes(id);
            int start = position;
            for (tokenEnd += bytes.Length; characterByte < tokenEnd; characterByte += CharacterBytes(text, ref position))
            {
                // every character that begins before the token's end
            }

            tokens.Add(TokenOf(tokens.Count, id, bytes, start, position - start));
        }
    }

    private Gpt2Token TokenOf(int index, int id, byte[] bytes, int start, int length) => new(index, id, GetText(id), GetSymbol(id), bytes, start, length);

    private static int CharacterBytes(string text, ref int position)
    {
        Rune.DecodeFromUtf16(text.AsSpan(position), out Rune character, out int units);
        position += units;
        return character.Utf8SequenceLength;
    }

    private T Padding<T>(int id, T nothing) => id >= 0 && id < RowCount
        ? nothing
        : throw new Gpt2Exception(
            Gpt2Error.InvalidToken, $"No token has the id {id}; the vocabulary '{Location}' has {Count} tokens with ids from {MinId} to {MaxId}.", Location);
}

using System.Buffers;
using System.Text;

namespace PicoGpt.Tokens;

/// <summary>
/// A vocabulary: text to token ids and back. It never changes and may be shared by any number of threads.
/// </summary>
public abstract class Tokenizer
{
    /// <summary>The spelling of the token that separates texts.</summary>
    public const string EndOfTextSymbol = "<|endoftext|>";

    private readonly AddedTokens _added;

    /// <param name="location">What sentences call it: its file, or the first of them.</param>
    /// <param name="added">The tokens that are found in a text before the rest of it is cut up.</param>
    private protected Tokenizer(string location, params IReadOnlyList<AddedToken> added)
    {
        Location = location;
        _added = new AddedTokens(added);
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

    /// <summary>The tokens that are no part of a text but say something of it, by their spelling, such as <c>&lt;|endoftext|&gt;</c>.</summary>
    public IReadOnlyDictionary<string, int> SpecialTokens => _added.Special;

    /// <summary>The ids up to, not including, which a model has rows for: those without a token are its padding, and mean nothing.</summary>
    internal int RowCount { get; init; }

    /// <summary>What sentences call it: its file, or the first of them.</summary>
    internal string Location { get; }

    /// <summary>The full paths of the files that it was read from.</summary>
    internal IReadOnlyList<string> Files { get; init; } = [];

    /// <summary>Reads the vocabulary of a model's folder.</summary>
    /// <param name="folder">
    /// The folder with <c>encoder.json</c> and <c>vocab.bpe</c>, or with the same files under Hugging Face's names, <c>vocab.json</c> and
    /// <c>merges.txt</c>.
    /// </param>
    /// <returns>The tokenizer.</returns>
    /// <exception cref="Gpt2Exception">A file is missing or not as it should be.</exception>
    public static Tokenizer Load(string folder) => VocabularyFormats.Open(folder, rowCount: 0);

    /// <summary>Turns text into token ids. Unpaired surrogates become U+FFFD.</summary>
    /// <param name="text">The text.</param>
    /// <param name="allowSpecial">
    /// Take the spelling of a special token in the text, such as <c>&lt;|endoftext|&gt;</c>, for that token; otherwise it is ordinary characters.
    /// </param>
    /// <returns>The ids.</returns>
    /// <exception cref="Gpt2Exception">The vocabulary has no token for a part of the text.</exception>
    public int[] Encode(string text, bool allowSpecial = false)
    {
        ArgumentNullException.ThrowIfNull(text);
        List<int> ids = new(text.Length / 3);
        ReadOnlySpan<char> rest = text;
        while (_added.TryFindFirst(rest, allowSpecial, out int at, out AddedToken? token))
        {
            EncodeOrdinary(rest[..at], ids);
            ids.Add(token.Id);
            rest = rest[(at + token.Text.Length)..];
        }

        EncodeOrdinary(rest, ids);
        return [.. ids];
    }

    /// <summary>Turns text into tokens that know where they stand in it.</summary>
    /// <param name="text">The text.</param>
    /// <param name="allowSpecial">Take the spelling of a special token in the text for that token.</param>
    /// <returns>The tokens, in order.</returns>
    /// <exception cref="Gpt2Exception">The vocabulary has no token for a part of the text.</exception>
    public IReadOnlyList<Gpt2Token> Tokenize(string text, bool allowSpecial = false)
    {
        int[] ids = Encode(text, allowSpecial);
        var tokens = new Gpt2Token[ids.Length];
        int position = 0; // of the next character, in UTF-16 units
        int characterByte = 0; // of the same, in UTF-8 bytes
        int tokenEnd = 0;
        for (int i = 0; i < ids.Length; i++)
        {
            byte[] bytes = GetBytes(ids[i]);
            int start = position;
            for (tokenEnd += bytes.Length; characterByte < tokenEnd; characterByte += CharacterBytes(text, ref position))
            {
                // every character that begins before the token's end
            }

            tokens[i] = new Gpt2Token(i, ids[i], GetText(ids[i]), GetSymbol(ids[i]), bytes, start, position - start);
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

    /// <summary>Whether a token has the id.</summary>
    internal bool HasToken(int id) => _added.Find(id) is not null || TryGetSymbol(id) is not null;

    /// <summary>The vocabulary as files, by the names of a layout.</summary>
    /// <exception cref="Gpt2Exception">It cannot be read any more, or has no such files.</exception>
    internal abstract IReadOnlyList<(string Name, byte[] Content)> FilesFor(VocabularyLayout layout);

    /// <summary>Adds the ids of a text without added tokens.</summary>
    private protected abstract void EncodeOrdinary(ReadOnlySpan<char> text, List<int> ids);

    /// <summary>The bytes of a token that was not added; <see langword="null"/> where there is none of that id.</summary>
    private protected abstract byte[]? TryGetBytes(int id);

    /// <summary>The spelling of a token that was not added; <see langword="null"/> where there is none of that id.</summary>
    private protected abstract string? TryGetSymbol(int id);

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

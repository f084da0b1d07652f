using System.Buffers;
using System.Text;

namespace PicoGpt.Tokens;

/// <summary>
/// GPT-2's byte-level byte-pair encoding: text to token ids and back, by a model's <c>encoder.json</c> and
/// <c>vocab.bpe</c>. It never changes and may be shared by any number of threads.
/// </summary>
public sealed class BytePairEncoder
{
    /// <summary>The spelling of the token that separates texts.</summary>
    public const string EndOfTextSymbol = "<|endoftext|>";

    private const int StackBytes = 256;

    /// <summary>OpenAI's name of the spellings and ids.</summary>
    internal const string EncoderFile = "encoder.json";

    /// <summary>OpenAI's name of the merges.</summary>
    internal const string MergesFile = "vocab.bpe";

    /// <summary>Hugging Face's name of <see cref="EncoderFile"/>.</summary>
    internal const string HuggingFaceEncoderFile = "vocab.json";

    /// <summary>Hugging Face's name of <see cref="MergesFile"/>.</summary>
    internal const string HuggingFaceMergesFile = "merges.txt";

    private static readonly (string Encoder, string Merges)[] FileNames =
        [(EncoderFile, MergesFile), (HuggingFaceEncoderFile, HuggingFaceMergesFile)];

    private readonly MergeTable _merges;
    private readonly int[] _idOfSymbol;
    private readonly Dictionary<int, string> _symbolOfId;
    private readonly string _encoderPath;
    private readonly string _mergesPath;

    private BytePairEncoder(string encoderPath, string mergesPath)
    {
        (_encoderPath, _mergesPath) = (encoderPath, mergesPath);
        Dictionary<string, int> ids = VocabularyFiles.ReadEncoder(encoderPath);
        _merges = VocabularyFiles.ReadMerges(mergesPath);
        _idOfSymbol = [.. _merges.Symbols.Select(symbol => ids.GetValueOrDefault(symbol, -1))];
        _symbolOfId = ids.ToDictionary(pair => pair.Value, pair => pair.Key);
        MaxId = _symbolOfId.Keys.Max();
        EndOfText = ids.TryGetValue(EndOfTextSymbol, out int id) ? id : null;
    }

    /// <summary>The number of tokens in the vocabulary.</summary>
    public int Count => _symbolOfId.Count;

    /// <summary>The greatest id; ids need not be without gaps.</summary>
    public int MaxId { get; }

    /// <summary>The id of <c>&lt;|endoftext|&gt;</c>, or <see langword="null"/> where the vocabulary has none.</summary>
    public int? EndOfText { get; }

    /// <summary>Reads the vocabulary of a model's folder.</summary>
    /// <param name="folder">
    /// The folder with <c>encoder.json</c> and <c>vocab.bpe</c>, or with the same files under Hugging Face's names, <c>vocab.json</c> and
    /// <c>merges.txt</c>.
    /// </param>
    /// <returns>The encoder.</returns>
    /// <exception cref="Gpt2Exception">A file is missing or not as it should be.</exception>
    public static BytePairEncoder Load(string folder)
    {
        (string encoder, string merges) = FilesIn(folder) ?? (Path.Combine(folder, EncoderFile), Path.Combine(folder, MergesFile));
        return Load(encoder, merges);
    }

    /// <summary>Reads a vocabulary.</summary>
    /// <param name="encoderPath">The <c>encoder.json</c>: an object of ids by spelling.</param>
    /// <param name="mergesPath">The <c>vocab.bpe</c>: one merge a line, by rank.</param>
    /// <returns>The encoder.</returns>
    /// <exception cref="Gpt2Exception">A file is missing or not as it should be.</exception>
    public static BytePairEncoder Load(string encoderPath, string mergesPath) => new(encoderPath, mergesPath);

    /// <summary>The two files of a folder's vocabulary; <see langword="null"/> where none of them is there.</summary>
    internal static (string Encoder, string Merges)? FilesIn(string folder)
    {
        foreach ((string encoder, string merges) in FileNames)
        {
            (string Encoder, string Merges) paths = (Path.Combine(folder, encoder), Path.Combine(folder, merges));
            if (File.Exists(paths.Encoder) || File.Exists(paths.Merges)) return paths;
        }

        return null;
    }

    /// <summary>The vocabulary's files, by the names of a layout.</summary>
    /// <exception cref="Gpt2Exception">One of them cannot be read any more.</exception>
    internal IReadOnlyList<(string Name, byte[] Content)> FilesFor(VocabularyLayout layout)
    {
        (string encoder, string merges) = FileNames[(int)layout];
        return [(encoder, VocabularyFiles.Read(_encoderPath)), (merges, VocabularyFiles.Read(_mergesPath))];
    }

    /// <summary>Turns text into token ids. Unpaired surrogates become U+FFFD.</summary>
    /// <param name="text">The text.</param>
    /// <param name="allowSpecial">
    /// Take <c>&lt;|endoftext|&gt;</c> in the text for the special token; otherwise it is ordinary characters.
    /// </param>
    /// <returns>The ids.</returns>
    /// <exception cref="Gpt2Exception">The vocabulary has no token for a part of the text.</exception>
    public int[] Encode(string text, bool allowSpecial = false)
    {
        ArgumentNullException.ThrowIfNull(text);
        List<int> ids = new(text.Length / 3);
        ReadOnlySpan<char> rest = text;
        while (allowSpecial && EndOfText is int special)
        {
            int at = rest.IndexOf(EndOfTextSymbol, StringComparison.Ordinal);
            if (at < 0) break;
            EncodeOrdinary(rest[..at], ids);
            ids.Add(special);
            rest = rest[(at + EndOfTextSymbol.Length)..];
        }

        EncodeOrdinary(rest, ids);
        return [.. ids];
    }

    /// <summary>Turns text into tokens that know where they stand in it.</summary>
    /// <param name="text">The text.</param>
    /// <param name="allowSpecial">Take <c>&lt;|endoftext|&gt;</c> in the text for the special token.</param>
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

    /// <summary>The bytes of a token; a special token's are its spelling.</summary>
    /// <param name="id">The token's id.</param>
    /// <returns>A new array.</returns>
    /// <exception cref="Gpt2Exception">No token has the id.</exception>
    public byte[] GetBytes(int id)
    {
        string symbol = GetSymbol(id);
        return ByteAlphabet.TryDecode(symbol) ?? Encoding.UTF8.GetBytes(symbol);
    }

    /// <summary>A token's text as it is by itself: a part of a character becomes U+FFFD.</summary>
    /// <param name="id">The token's id.</param>
    /// <returns>The text.</returns>
    /// <exception cref="Gpt2Exception">No token has the id.</exception>
    public string GetText(int id) => Encoding.UTF8.GetString(GetBytes(id));

    /// <summary>A token's spelling in <c>encoder.json</c>, such as <c>Ġhello</c>.</summary>
    /// <param name="id">The token's id.</param>
    /// <returns>The spelling.</returns>
    /// <exception cref="Gpt2Exception">No token has the id.</exception>
    public string GetSymbol(int id) => _symbolOfId.TryGetValue(id, out string? symbol)
        ? symbol
        : throw new Gpt2Exception(
            Gpt2Error.InvalidToken,
            $"No token has the id {id}; the vocabulary '{_encoderPath}' has {Count} tokens with ids from {_symbolOfId.Keys.Min()} to {MaxId}.",
            _encoderPath);

    private static int CharacterBytes(string text, ref int position)
    {
        Rune.DecodeFromUtf16(text.AsSpan(position), out Rune character, out int units);
        position += units;
        return character.Utf8SequenceLength;
    }

    private void EncodeOrdinary(ReadOnlySpan<char> text, List<int> ids)
    {
        while (!text.IsEmpty)
        {
            int length = PieceScanner.NextLength(text);
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
            $"The vocabulary '{_encoderPath}' has no token '{_merges.Symbols[symbol]}', of which the text would need one; "
                + "is it the encoder.json that belongs to the vocab.bpe beside it?",
            _encoderPath);
}

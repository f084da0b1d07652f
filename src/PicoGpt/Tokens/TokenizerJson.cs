using System.Text.Json;
using PicoGpt.Files;

namespace PicoGpt.Tokens;

/// <summary>
/// The <c>tokenizer.json</c> of Hugging Face's tokenizers library, as far as it is a byte-level byte-pair encoding such as GPT-2's. What would
/// give other tokens is refused by name.
/// </summary>
internal sealed class TokenizerJson : IDisposable
{
    public const string FileName = "tokenizer.json";

    private const int MaxFileLength = 64 << 20;

    // How many tokens or merges are read between two looks at whether they are wanted still.
    private const int Portion = 4096;

    private const string ByteLevel = "ByteLevel";

    /// <summary>The ways in which GPT-2's pattern is spelled: OpenAI's own, and two of later libraries that cut in the same places.</summary>
    private static readonly string[] Patterns =
    [
        @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
        @"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
        @"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s",
    ];

    private readonly JsonDocument _document;
    private readonly JsonElement _root;

    private TokenizerJson(string path, JsonDocument document) => (Path, _document, _root) = (path, document, document.RootElement);

    public string Path { get; }

    /// <summary>Whether its pre-tokenizer puts a space before a text that has none.</summary>
    public bool AddsPrefixSpace => Steps("pre_tokenizer", "pretokenizers").Any(step => IsTrue(step, "add_prefix_space"));

    /// <exception cref="Gpt2Exception">The file is missing, or is not a JSON object.</exception>
    public static TokenizerJson Open(string path)
    {
        JsonDocument document = JsonFile.Parse(path, MaxFileLength, "a tokenizer of Hugging Face's library");
        var file = new TokenizerJson(path, document);
        if (file._root.ValueKind == JsonValueKind.Object && Member(file._root, "model") is { ValueKind: JsonValueKind.Object }) return file;
        document.Dispose();
        throw file.Bad("has no object named model");
    }

    /// <summary>Throws where it is another kind of tokenizer than GPT-2's.</summary>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.Unsupported"/>: the sentence names what it has.</exception>
    public void RequireByteLevel()
    {
        JsonElement model = _root.GetProperty("model");
        if (Text(model, "type") is { } type and not "BPE") throw Unsupported($"has a model of the type {type}");
        foreach (string name in (string[])["continuing_subword_prefix", "end_of_word_suffix"])
        {
            if (Text(model, name) is { Length: > 0 } value) throw Unsupported($"has {name} = \"{value}\"");
        }

        foreach (string name in (string[])["byte_fallback", "ignore_merges"])
        {
            if (IsTrue(model, name)) throw Unsupported($"has {name} = true");
        }

        if (Member(model, "dropout") is { ValueKind: JsonValueKind.Number } dropout && dropout.GetDouble() != 0) throw Unsupported("has a dropout of merges, which draws tokens at random");
        if (Steps("normalizer", "normalizers").FirstOrDefault() is { ValueKind: JsonValueKind.Object } normalizer) throw Unsupported($"has the normalizer {TypeOf(normalizer)}");
        RequirePieces();
        if (Steps("decoder", "decoders").FirstOrDefault(step => TypeOf(step) != ByteLevel) is { ValueKind: JsonValueKind.Object } decoder)
            throw Unsupported($"has the decoder {TypeOf(decoder)}");
    }

    /// <summary>The tokens' spellings and ids.</summary>
    /// <exception cref="Gpt2Exception">There are none, or they are not as they should be.</exception>
    public Dictionary<string, int> ReadVocabulary(CancellationToken cancellationToken)
    {
        if (Member(_root.GetProperty("model"), "vocab") is not { ValueKind: JsonValueKind.Object } vocabulary) throw Bad("has no object named vocab in its model");
        Dictionary<string, int> ids = [];
        foreach (JsonProperty token in vocabulary.EnumerateObject())
        {
            if (ids.Count % Portion == 0) cancellationToken.ThrowIfCancellationRequested();
            int id = IdOf(token.Value) ?? throw Bad($"gives '{Excerpt.Of(token.Name, 120)}' an id that is not a whole number from 0 on");
            ids.Add(token.Name, id); // a name that comes twice was refused when the file was opened
        }

        return ids.Count > 0 ? ids : throw Bad("has no token");
    }

    /// <summary>The merges, in order: each a pair, or both symbols in one string with a space between them.</summary>
    /// <exception cref="Gpt2Exception">One is not a merge.</exception>
    public MergeTable ReadMerges(CancellationToken cancellationToken)
    {
        if (Member(_root.GetProperty("model"), "merges") is not { ValueKind: JsonValueKind.Array } list) throw Bad("has no list named merges in its model");
        var merges = new MergeTable();
        int rank = 0;
        foreach (JsonElement merge in list.EnumerateArray())
        {
            if (rank % Portion == 0) cancellationToken.ThrowIfCancellationRequested();
            string[] symbols = merge.ValueKind switch
            {
                JsonValueKind.String => merge.GetString()!.Split(' '),
                JsonValueKind.Array when merge.EnumerateArray().All(symbol => symbol.ValueKind == JsonValueKind.String) =>
                    [.. merge.EnumerateArray().Select(symbol => symbol.GetString()!)],
                _ => [],
            };
            if (symbols.Length != 2 || !symbols.All(symbol => symbol.Length > 0 && symbol.All(c => ByteAlphabet.TryGetByte(c, out _))))
                throw Bad($"has as its merge {rank + 1} {Excerpt.Of(merge.GetRawText(), 120)}, which are not two symbols of GPT-2's alphabet of bytes");
            merges.Add(symbols[0], symbols[1], rank++);
        }

        return merges;
    }

    /// <summary>The tokens that are found in a text before the rest of it is cut up.</summary>
    /// <exception cref="Gpt2Exception">They are not as they should be.</exception>
    public IReadOnlyList<AddedToken> ReadAddedTokens()
    {
        if (Member(_root, "added_tokens") is not { } list) return [];
        if (list.ValueKind != JsonValueKind.Array) throw Bad("has added_tokens that are not a list");
        using var file = new AddedTokenFile(Path, null);
        var tokens = new AddedTokenList(new Dictionary<string, int>(), declared: []);
        foreach (JsonElement token in list.EnumerateArray())
            tokens.Add(file, file.TokenOf(token, Member(token, "id") is { ValueKind: JsonValueKind.Number } id ? id.GetRawText() : ""));
        return tokens.All;
    }

    /// <summary>The ids that its post-processor puts before every text.</summary>
    /// <exception cref="Gpt2Exception">It does something else too.</exception>
    public IReadOnlyList<int> ReadPrefix()
    {
        List<int> prefix = [];
        foreach (JsonElement step in Steps("post_processor", "processors"))
        {
            switch (TypeOf(step))
            {
                case ByteLevel: break;
                case "TemplateProcessing": prefix.AddRange(PrefixOf(step)); break;
                default: throw Unsupported($"has the post-processor {TypeOf(step)}");
            }
        }

        return prefix;
    }

    /// <summary>The exception for what is wrong with it.</summary>
    public Gpt2Exception Bad(string what, Exception? inner = null) => new(Gpt2Error.NotAFormat, $"'{Path}' {what}; copy or download it again.", Path, inner);

    public void Dispose() => _document.Dispose();

    // [<|endoftext|>, A]: what stands before the text in the template of a single one
    private List<int> PrefixOf(JsonElement template)
    {
        if (Member(template, "single") is not { ValueKind: JsonValueKind.Array } parts || Member(template, "special_tokens") is not { ValueKind: JsonValueKind.Object } tokens)
            throw Bad("has a TemplateProcessing without single or special_tokens");
        bool hasText = false;
        List<int> prefix = [];
        foreach (JsonElement part in parts.EnumerateArray())
        {
            if (Member(part, "SpecialToken") is not { } special) hasText = true;
            else if (hasText) throw Unsupported($"has a post-processor that ends every text with {Text(special, "id")}");
            else if (Text(special, "id") is { } name && Member(tokens, name) is { } token && Member(token, "ids") is { ValueKind: JsonValueKind.Array } ids)
                prefix.AddRange(ids.EnumerateArray().Select(id => IdOf(id) ?? throw Bad($"gives the token '{name}' no id")));
            else throw Bad("has a TemplateProcessing with a token that it does not tell");
        }

        return prefix;
    }

    // ByteLevel alone cuts by GPT-2's pattern; in a sequence another step may, if it cuts by the same.
    private void RequirePieces()
    {
        bool isCut = false, isByteLevel = false;
        foreach (JsonElement step in Steps("pre_tokenizer", "pretokenizers"))
        {
            switch (TypeOf(step))
            {
                case ByteLevel when !isByteLevel: // each would spell the bytes of the other's spelling
                    if (isCut && IsTrue(step, "add_prefix_space")) throw Unsupported("has a pre-tokenizer ByteLevel that puts a space before every piece");
                    isByteLevel = true;
                    isCut |= Member(step, "use_regex") is not { ValueKind: JsonValueKind.False };
                    break;
                case "Split" when !isByteLevel:
                    RequireSplit(step);
                    isCut = true;
                    break;
                default:
                    throw Unsupported($"has the pre-tokenizer {TypeOf(step)}{(isByteLevel ? " behind ByteLevel" : "")}");
            }
        }

        if (!isByteLevel) throw Unsupported("has no pre-tokenizer ByteLevel");
        if (!isCut) throw Unsupported("has a pre-tokenizer ByteLevel with use_regex = false, which does not cut words apart");
    }

    private void RequireSplit(JsonElement step)
    {
        string pattern = Member(step, "pattern") is { } given && Text(given, "Regex") is { } regex ? regex : "";
        if (!Patterns.Contains(pattern)) throw Unsupported($"has a pre-tokenizer Split by another pattern than GPT-2's, '{Excerpt.Of(pattern, 120)}'");
        if (IsTrue(step, "invert")) throw Unsupported("has a pre-tokenizer Split that is inverted, which takes for words what is between them");
        if (Text(step, "behavior") is not "Isolated") throw Unsupported($"has a pre-tokenizer Split with the behavior {Text(step, "behavior")}");
    }

    // A step, or the steps of a sequence, of sequences too.
    private IEnumerable<JsonElement> Steps(string name, string list) => Member(_root, name) is { } step ? StepsOf(step, list) : [];

    private IEnumerable<JsonElement> StepsOf(JsonElement step, string list)
    {
        if (step.ValueKind != JsonValueKind.Object) throw Bad($"has a step that is not an object, {Excerpt.Of(step.GetRawText(), 120)}");
        if (TypeOf(step) != "Sequence") return [step];
        return Member(step, list) is { ValueKind: JsonValueKind.Array } steps
            ? steps.EnumerateArray().SelectMany(inner => StepsOf(inner, list))
            : throw Bad($"has a sequence without {list}");
    }

    private string TypeOf(JsonElement step) => Text(step, "type") ?? throw Bad("has a step without a type");

    private string? Text(JsonElement owner, string name) => Member(owner, name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } text => text.GetString(),
        _ => throw Bad($"has a {name} that is not a text"),
    };

    private static int? IdOf(JsonElement value) => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int id) && id >= 0 ? id : null;

    private static bool IsTrue(JsonElement owner, string name) => Member(owner, name) is { ValueKind: JsonValueKind.True };

    private static JsonElement? Member(JsonElement owner, string name) =>
        owner.ValueKind == JsonValueKind.Object && owner.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private Gpt2Exception Unsupported(string what) => new(
        Gpt2Error.Unsupported, $"'{Path}' {what}; the tokenizers that are read are those of byte-level byte pairs that cut texts as GPT-2's does.", Path);
}

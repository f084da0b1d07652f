using PicoGpt.Tokens;

namespace PicoGpt.Checkpoints.Gguf;

/// <summary>The vocabulary that a GGUF file carries, by the keys of llama.cpp (gguf-py's constants.py).</summary>
internal static class GgufVocabulary
{
    public const string Model = "tokenizer.ggml.model";
    public const string PreTokenizer = "tokenizer.ggml.pre";
    public const string Tokens = "tokenizer.ggml.tokens";
    public const string TokenTypes = "tokenizer.ggml.token_type";
    public const string Merges = "tokenizer.ggml.merges";
    public const string BeginOfText = "tokenizer.ggml.bos_token_id";
    public const string EndOfText = "tokenizer.ggml.eos_token_id";
    public const string EndOfTurn = "tokenizer.ggml.eot_token_id";
    public const string AddBeginOfText = "tokenizer.ggml.add_bos_token";

    /// <summary>The kind of vocabulary that a GPT-2 has, and how it splits texts into words.</summary>
    public const string BytePairs = "gpt2", Gpt2Split = "gpt-2";

    /// <summary>What stands for a model without a vocabulary.</summary>
    public const string None = "no_vocab";

    /// <summary>Types of tokens.</summary>
    public const int Normal = 1, Control = 3, UserDefined = 4, Unused = 5;

    // The keys of what special tokens are for; "seperator" is spelled so there.
    private static readonly (string Role, string Key)[] Roles =
    [
        (TokenRoles.Begin, BeginOfText),
        (TokenRoles.End, EndOfText),
        ("unk_token", "tokenizer.ggml.unknown_token_id"),
        ("sep_token", "tokenizer.ggml.seperator_token_id"),
        ("pad_token", "tokenizer.ggml.padding_token_id"),
        ("cls_token", "tokenizer.ggml.cls_token_id"),
        ("mask_token", "tokenizer.ggml.mask_token_id"),
    ];

    // Names under which llama.cpp splits texts by the same pattern.
    private static readonly string[] SameSplits = [Gpt2Split, "phi-2", "mpt", "olmo", "roberta-bpe"];

    private const int Portion = 1024;
    private const string AddSpace = "tokenizer.ggml.add_space_prefix";
    private const string AddEndOfText = "tokenizer.ggml.add_eos_token";

    /// <summary>Whether a file carries a vocabulary.</summary>
    public static bool IsIn(GgufMetadata metadata) => metadata.Text(Model) is { } model && model != None && model != "none";

    /// <summary>Reads the vocabulary of a file that carries one.</summary>
    /// <param name="metadata">The file's metadata.</param>
    /// <param name="rowCount">The rows of the model's embedding.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="Gpt2Exception">It is of another kind than GPT-2's, or makes no sense.</exception>
    public static Tokenizer Read(GgufMetadata metadata, int rowCount, CancellationToken cancellationToken = default)
    {
        RequireGpt2(metadata);
        string[] tokens = metadata.Texts(Tokens, cancellationToken) ?? throw metadata.Bad($"has no key '{Tokens}'");
        long[]? types = metadata.Numbers(TokenTypes, tokens.Length, cancellationToken);
        if (types is not null && types.Length != tokens.Length) throw metadata.Bad($"has {tokens.Length} tokens, but {types.Length} types of tokens");
        long? end = metadata.Number(EndOfText);
        Dictionary<string, int> ids = new(tokens.Length, StringComparer.Ordinal);
        List<AddedToken> added = [];
        for (int id = 0; id < tokens.Length; id++)
        {
            if (id % Portion == 0) cancellationToken.ThrowIfCancellationRequested();
            if (types?[id] == Unused) continue; // what fills the vocabulary up to the embedding's rows
            if (!ids.TryAdd(tokens[id], id)) throw metadata.Bad($"has two tokens with the same spelling, {ids[tokens[id]]} and {id}");
            bool isSpecial = types?[id] == Control || id == end || tokens[id] == Tokenizer.EndOfTextSymbol;
            if (isSpecial || types?[id] == UserDefined) added.Add(new AddedToken(tokens[id], id, isSpecial));
        }

        if (ids.Count == 0) throw metadata.Bad("has no token");
        if (added.Find(token => token.Text.Length == 0) is { } empty) throw metadata.Bad($"has a token without a spelling, {empty.Id}");
        bool hasPrefix = metadata.Flag(AddBeginOfText) == true;
        int? begin = hasPrefix ? ReadIds(metadata).Begin ?? throw metadata.Bad($"has no key '{BeginOfText}'") : null;
        var encoder = new BytePairEncoder(metadata.Path, ids, ReadMerges(metadata, cancellationToken), added)
        {
            RowCount = rowCount,
            Prefix = begin is { } first ? [first] : [],
            Roles = RolesOf(metadata, tokens),
        };
        encoder.RequireMerges(metadata.Path);
        return encoder;
    }

    /// <summary>The ids with which texts begin and end.</summary>
    public static SpecialIds ReadIds(GgufMetadata metadata)
    {
        return new SpecialIds(IdOf(BeginOfText), [.. new[] { IdOf(EndOfText), IdOf(EndOfTurn) }.OfType<int>().Distinct()]);

        int? IdOf(string key) => metadata.Number(key) is { } id
            ? id <= int.MaxValue ? (int)id : throw metadata.Bad($"says {key} = {id}, where no token can be")
            : null;
    }

    /// <summary>Adds a vocabulary to the metadata of a file that is to be written.</summary>
    /// <param name="header">The metadata.</param>
    /// <param name="model">The model: it has as many tokens as rows, as llama.cpp asks for one each.</param>
    /// <exception cref="Gpt2Exception">What <see cref="RequireWritable"/> throws.</exception>
    public static void Write(GgufHeader header, ModelFacts model)
    {
        if (model.Encoder is null)
        {
            header.Add(Model, None);
            return;
        }

        BytePairEncoder encoder = RequireWritable(model)!;
        Dictionary<int, bool> added = encoder.Added.ToDictionary(token => token.Id, token => token.IsSpecial);
        int[] ids = [.. Enumerable.Range(0, model.HyperParameters.NVocab)];
        header.Add(Model, BytePairs);
        header.Add(PreTokenizer, Gpt2Split);
        header.Add(Tokens, [.. ids.Select(id => encoder.HasToken(id) ? encoder.GetSymbol(id) : $"[PAD{id}]")]);
        header.Add(TokenTypes, [.. ids.Select(TypeOf)]);
        header.Add(Merges, [.. encoder.Merges.Select(merge => $"{merge.Left} {merge.Right}")]);
        if (model.SpecialIds.Begin is { } begin) header.Add(BeginOfText, (uint)begin);
        if (model.SpecialIds.Ends is [int end, ..]) header.Add(EndOfText, (uint)end);
        if (model.SpecialIds.Ends is [_, int other]) header.Add(EndOfTurn, (uint)other);
        foreach ((string role, string key) in Roles.Where(role => role.Key is not (BeginOfText or EndOfText)))
        {
            if (encoder.IdOf(role) is { } id && id < ids.Length) header.Add(key, (uint)id);
        }

        header.Add(AddBeginOfText, encoder.Prefix.Count > 0);

        int TypeOf(int id) => !encoder.HasToken(id) ? Unused : !added.TryGetValue(id, out bool isSpecial) ? Normal : isSpecial ? Control : UserDefined;
    }

    /// <summary>The vocabulary of a model, if a file can hold it.</summary>
    /// <exception cref="Gpt2Exception">It has more ids than the model, is not one of byte pairs, or does what llama.cpp's does not.</exception>
    public static BytePairEncoder? RequireWritable(ModelFacts model)
    {
        if (model.Encoder is not { } tokenizer) return null;
        int count = model.HyperParameters.NVocab;
        if (tokenizer is not BytePairEncoder encoder) throw Refused("is not one of byte pairs, which a GGUF file of a GPT-2 holds");
        if (encoder.MaxIdOfVocabulary >= count)
            throw Refused($"has ids up to {encoder.MaxIdOfVocabulary}, but the model has only {count}, and a GGUF file holds as many tokens as the model has");
        if (encoder.Added.FirstOrDefault(token => token.LStrip || token.RStrip || token.SingleWord) is { } token)
            throw Refused($"has the token '{token.Text}', which takes the white space beside it or is found only by itself, which a GGUF file has no place for");
        if (encoder.AddPrefixSpace) throw Refused("begins every text with a space, which llama.cpp does not do with this kind of vocabulary");
        if (encoder.Prefix.Count > 1 || (encoder.Prefix is [int first] && first != model.SpecialIds.Begin))
            throw Refused("begins every text with other tokens than the one that begins a text, which a GGUF file has no place for");
        return model.SpecialIds.Ends.Count <= 2 ? encoder : throw Refused($"has {model.SpecialIds.Ends.Count} tokens that end a text, where a GGUF file has place for two");

        Gpt2Exception Refused(string what) => new(
            Gpt2Error.Unsupported, $"The vocabulary '{tokenizer.Location}' {what}; export the model as Safetensors.", tokenizer.Location);
    }

    private static Dictionary<string, string> RolesOf(GgufMetadata metadata, string[] tokens)
    {
        Dictionary<string, string> roles = [];
        foreach ((string role, string key) in Roles)
        {
            if (metadata.Number(key) is { } id and >= 0 && id < tokens.Length) roles.Add(role, tokens[id]);
        }

        return roles;
    }

    private static MergeTable ReadMerges(GgufMetadata metadata, CancellationToken cancellationToken)
    {
        string[] lines = metadata.Texts(Merges, cancellationToken) ?? throw metadata.Bad($"has no key '{Merges}'");
        var merges = new MergeTable();
        for (int rank = 0; rank < lines.Length; rank++)
        {
            if (rank % Portion == 0) cancellationToken.ThrowIfCancellationRequested();
            ReadOnlySpan<char> line = lines[rank];
            int space = line.IndexOf(' ');
            if (space <= 0 || space == line.Length - 1 || line[(space + 1)..].Contains(' ')) throw metadata.Bad($"has as merge {rank} not two symbols");
            foreach (char character in line)
            {
                if (character != ' ' && !ByteAlphabet.TryGetByte(character, out _))
                    throw metadata.Bad($"has in merge {rank} the character U+{(int)character:X4}, which spells no byte in GPT-2's alphabet");
            }

            merges.Add(line[..space], line[(space + 1)..], rank);
        }

        return merges;
    }

    private static void RequireGpt2(GgufMetadata metadata)
    {
        string model = metadata.Text(Model)!;
        if (model != BytePairs) throw Other(metadata, Model, $"'{model}'");
        if (metadata.Text(PreTokenizer) is { } split && !SameSplits.Contains(split)) throw Other(metadata, PreTokenizer, $"'{split}'");
        if (metadata.Flag(AddSpace) == true) throw Other(metadata, AddSpace, "true");
        if (metadata.Flag(AddEndOfText) == true) throw Other(metadata, AddEndOfText, "true");
    }

    private static Gpt2Exception Other(GgufMetadata metadata, string key, string value) => new(
        Gpt2Error.Unsupported, $"'{metadata.Path}' says {key} = {value}; texts are split and spelled otherwise there than GPT-2's tokenizer does.", metadata.Path);
}

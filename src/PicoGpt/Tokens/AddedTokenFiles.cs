using System.Text.Json;
using PicoGpt.Files;

namespace PicoGpt.Tokens;

/// <summary>
/// Reads what a folder's files add to its vocabulary, as transformers does: <c>tokenizer_config.json</c>, and the two older files
/// <c>added_tokens.json</c> and <c>special_tokens_map.json</c>, which say the same.
/// </summary>
internal static class AddedTokenFiles
{
    public const string ConfigName = "tokenizer_config.json";
    public const string AddedName = "added_tokens.json";
    public const string SpecialName = "special_tokens_map.json";

    public const string AddBosToken = "add_bos_token";
    public const string AddPrefixSpace = "add_prefix_space";
    public const string Decoder = "added_tokens_decoder";
    public const string TokenizerClass = "tokenizer_class";

    public const string SplitSpecialTokens = "split_special_tokens";

    private const int MaxFileLength = 64 << 20;

    /// <summary>The names of the files.</summary>
    public static IReadOnlyList<string> FileNames { get; } = [ConfigName, AddedName, SpecialName];

    /// <summary>Reads them, as far as they are there.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="ids">The ids of the vocabulary by spelling.</param>
    /// <param name="declared">The added tokens that are known already, as a <c>tokenizer.json</c> tells them.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="Gpt2Exception">A file is not as it should be, or contradicts another.</exception>
    public static AddedVocabulary Read(
        string folder, IReadOnlyDictionary<string, int> ids, IReadOnlyList<AddedToken> declared, CancellationToken cancellationToken)
    {
        try
        {
            return ReadAll(folder, ids, declared, cancellationToken);
        }
        catch (InvalidOperationException fault) // half a surrogate pair in a name or a text
        {
            throw new Gpt2Exception(
                Gpt2Error.NotAFormat, $"One of {string.Join(", ", FileNames)} in '{folder}' has a text that is not valid Unicode; copy them again.", folder, fault);
        }
    }

    /// <summary>The files that say what the vocabulary's own do not; none where there is nothing to say.</summary>
    public static IReadOnlyList<(string Name, byte[] Content)> Format(BytePairEncoder tokenizer)
    {
        bool isPlain = tokenizer is { Prefix: [], AddPrefixSpace: false }
            && tokenizer.Added.All(token => token.Text == Tokenizer.EndOfTextSymbol && tokenizer.IsOfVocabulary(token))
            && tokenizer.Roles.Values.All(text => text == Tokenizer.EndOfTextSymbol);
        return isPlain ? [] : AddedTokenWriter.Files(tokenizer);
    }

    private static AddedVocabulary ReadAll(
        string folder, IReadOnlyDictionary<string, int> ids, IReadOnlyList<AddedToken> declared, CancellationToken cancellationToken)
    {
        using AddedTokenFile config = Open(ConfigName), added = Open(AddedName), special = Open(SpecialName);
        var tokens = new AddedTokenList(ids, declared);
        foreach ((string id, JsonElement token) in config.Members(Decoder)) tokens.Add(config, config.TokenOf(token, id));
        foreach ((string text, JsonElement id) in added.Members()) tokens.Add(added, new AddedToken(text, added.IdOf(text, id), IsSpecial: false) { Normalized = true });

        // Where the first file lists tokens, transformers no longer asks the older ones.
        AddedTokenFile[] files = config.Has(Decoder) ? [config, special] : [special, config];
        Dictionary<string, string> roles = [];
        foreach (AddedTokenFile file in files) ReadRoles(file, tokens, roles);
        if (ids.ContainsKey(Tokenizer.EndOfTextSymbol)) tokens.MarkSpecial(config, new AddedToken(Tokenizer.EndOfTextSymbol, 0, IsSpecial: true));
        if (config.Truth(SplitSpecialTokens) is true) tokens.FindSpecialOnlyWhereAllowed();
        return new AddedVocabulary(tokens.All, roles)
        {
            Prefix = config.Truth(AddBosToken) is true ? [BeginOf(config, tokens, roles)] : [],
            AddPrefixSpace = config.Truth(AddPrefixSpace),
            TokenizerClass = config.Text(TokenizerClass) is { } name ? (name, config.Path) : null,
        };

        AddedTokenFile Open(string name)
        {
            cancellationToken.ThrowIfCancellationRequested();
            string path = Path.Combine(folder, name);
            return new AddedTokenFile(path, File.Exists(path) ? JsonFile.Parse(path, MaxFileLength) : null);
        }
    }

    private static void ReadRoles(AddedTokenFile file, AddedTokenList tokens, Dictionary<string, string> roles)
    {
        foreach (string role in TokenRoles.All)
        {
            if (file.Member(role) is not { } value || roles.ContainsKey(role)) continue;
            AddedToken token = file.TokenOf(value, id: null);
            tokens.MarkSpecial(file, token);
            roles.Add(role, token.Text);
        }

        foreach (JsonElement value in TokenRoles.Lists.SelectMany(file.Items)) tokens.MarkSpecial(file, file.TokenOf(value, id: null));
    }

    private static int BeginOf(AddedTokenFile config, AddedTokenList tokens, Dictionary<string, string> roles)
    {
        string text = roles.GetValueOrDefault(TokenRoles.Begin, Tokenizer.EndOfTextSymbol);
        return tokens.Find(text)?.Id ?? throw config.Bad($"says {AddBosToken} = true, but the vocabulary has no token '{text}'");
    }
}

namespace PicoGpt.Tokens;

/// <summary>Puts together the added tokens of a vocabulary from several files that tell of the same ones.</summary>
internal sealed class AddedTokenList
{
    // A token is looked for at every place of a text where its first character stands.
    private const int MaxLength = 128;

    private readonly IReadOnlyDictionary<string, int> _ids;
    private readonly List<AddedToken> _tokens = [];
    private readonly Dictionary<string, int> _places = [];
    private readonly Dictionary<int, string> _texts = new(SeededComparer.Instance);
    private int _maxId;

    /// <param name="ids">The ids of the vocabulary by spelling.</param>
    /// <param name="declared">The tokens that are known already.</param>
    public AddedTokenList(IReadOnlyDictionary<string, int> ids, IReadOnlyList<AddedToken> declared)
    {
        (_ids, _maxId) = (ids, -1);
        foreach (int id in ids.Values) _maxId = Math.Max(_maxId, id);
        foreach (AddedToken token in declared) Put(token);
    }

    /// <summary>The tokens, by id.</summary>
    public IReadOnlyList<AddedToken> All => [.. _tokens.OrderBy(token => token.Id)];

    public AddedToken? Find(string text) => _places.TryGetValue(text, out int place) ? _tokens[place] : null;

    /// <summary>Adds a token, unless it is known.</summary>
    /// <exception cref="Gpt2Exception">It is known by another id, or its id is another token's.</exception>
    public void Add(AddedTokenFile file, AddedToken token)
    {
        if (token.Text.Length is 0 or > MaxLength) throw file.Bad($"has a token of {token.Text.Length} characters; 1 to {MaxLength} are expected");
        if (Find(token.Text) is { } known)
        {
            if (known.Id != token.Id) throw file.Bad($"gives the token '{token.Text}' the id {token.Id}, where another file says {known.Id}");
            return;
        }

        if (_texts.TryGetValue(token.Id, out string? other)) throw file.Bad($"gives the id {token.Id} to '{token.Text}', where it is '{other}' already");
        Put(token);
    }

    /// <summary>Makes a token special; one that nothing has given an id gets the next one, as in transformers.</summary>
    /// <param name="file">The file that says so.</param>
    /// <param name="token">The token; its id is not asked.</param>
    public void MarkSpecial(AddedTokenFile file, AddedToken token)
    {
        if (!_places.TryGetValue(token.Text, out int place)) Add(file, token with { Id = _ids.TryGetValue(token.Text, out int id) ? id : NextId(file, token) });
        else if (!_tokens[place].IsSpecial) _tokens[place] = token with { Id = _tokens[place].Id, IsSpecial = true };
    }

    /// <summary>Has special tokens found only where they are allowed.</summary>
    public void FindSpecialOnlyWhereAllowed()
    {
        for (int i = 0; i < _tokens.Count; i++) _tokens[i] = _tokens[i] with { NeedsLeave = _tokens[i].IsSpecial || _tokens[i].NeedsLeave };
    }

    private int NextId(AddedTokenFile file, AddedToken token) =>
        _maxId < int.MaxValue ? _maxId + 1 : throw file.Bad($"has the token '{token.Text}' without an id, behind which the last id, {_maxId}, leaves none");

    private void Put(AddedToken token)
    {
        _places[token.Text] = _tokens.Count;
        _texts[token.Id] = token.Text;
        _tokens.Add(token);
        _maxId = Math.Max(_maxId, token.Id);
    }
}

using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace PicoGpt.Tokens;

/// <summary>Finds added tokens in a text: the first, and of several that begin there the longest.</summary>
internal sealed class AddedTokens
{
    private readonly AddedToken[] _byLength; // the longest first
    private readonly Dictionary<int, AddedToken> _byId;
    private readonly SearchValues<string> _all, _ordinary;

    public AddedTokens(IReadOnlyList<AddedToken> tokens)
    {
        _byLength = [.. tokens.OrderByDescending(token => token.Text.Length)];
        _byId = tokens.ToDictionary(token => token.Id);
        Special = tokens.Where(token => token.IsSpecial).ToDictionary(token => token.Text, token => token.Id, StringComparer.Ordinal);
        _all = SearchValues.Create([.. tokens.Select(token => token.Text)], StringComparison.Ordinal);
        _ordinary = SearchValues.Create([.. tokens.Where(token => !token.IsSpecial).Select(token => token.Text)], StringComparison.Ordinal);
    }

    /// <summary>The ids of the special ones by their spelling.</summary>
    public IReadOnlyDictionary<string, int> Special { get; }

    public AddedToken? Find(int id) => _byId.GetValueOrDefault(id);

    public AddedToken? Find(string text) => Array.Find(_byLength, token => token.Text == text);

    /// <summary>The first added token of a text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="allowSpecial">Whether special ones are looked for too.</param>
    /// <param name="at">Where it begins.</param>
    /// <param name="token">The token.</param>
    public bool TryFindFirst(ReadOnlySpan<char> text, bool allowSpecial, out int at, [NotNullWhen(true)] out AddedToken? token)
    {
        token = null;
        at = text.IndexOfAny(allowSpecial ? _all : _ordinary);
        if (at < 0) return false;
        foreach (AddedToken candidate in _byLength)
        {
            if ((candidate.IsSpecial && !allowSpecial) || !text[at..].StartsWith(candidate.Text, StringComparison.Ordinal)) continue;
            token = candidate;
            return true;
        }

        return false;
    }
}

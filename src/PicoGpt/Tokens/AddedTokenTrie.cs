using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace PicoGpt.Tokens;

/// <summary>Added tokens by their characters: finds the first of them in a text, and of several that begin there the longest.</summary>
internal sealed class AddedTokenTrie
{
    private const int Root = 0;

    private readonly Dictionary<long, int> _next = new(SeededComparer.Instance); // by node and character
    private readonly List<AddedToken?> _tokens = [null]; // by node: the token whose spelling ends there
    private readonly SearchValues<char> _firsts;

    public AddedTokenTrie(IEnumerable<AddedToken> tokens)
    {
        HashSet<char> firsts = [];
        foreach (AddedToken token in tokens)
        {
            firsts.Add(token.Text[0]);
            int node = Root;
            foreach (char c in token.Text) node = ChildOf(node, c);
            _tokens[node] = token;
        }

        _firsts = SearchValues.Create([.. firsts]);
    }

    public bool IsEmpty => _next.Count == 0;

    /// <summary>The first token of a text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="allowSpecial">Whether those are looked for too that need permission.</param>
    /// <param name="at">Where it begins.</param>
    /// <param name="token">The token.</param>
    public bool TryFindFirst(ReadOnlySpan<char> text, bool allowSpecial, out int at, [NotNullWhen(true)] out AddedToken? token)
    {
        for (at = 0; at < text.Length; at++)
        {
            int next = text[at..].IndexOfAny(_firsts);
            if (next < 0) break;
            at += next;
            token = LongestAtStart(text[at..], allowSpecial);
            if (token is not null) return true;
        }

        token = null;
        return false;
    }

    private static long Step(int node, char next) => ((long)node << 16) | next;

    private AddedToken? LongestAtStart(ReadOnlySpan<char> text, bool allowSpecial)
    {
        AddedToken? longest = null;
        int node = Root;
        foreach (char c in text)
        {
            if (!_next.TryGetValue(Step(node, c), out node)) break;
            if (_tokens[node] is { } token && (allowSpecial || !token.NeedsLeave)) longest = token;
        }

        return longest;
    }

    private int ChildOf(int node, char next)
    {
        if (_next.TryGetValue(Step(node, next), out int child)) return child;
        _tokens.Add(null);
        return _next[Step(node, next)] = _tokens.Count - 1;
    }
}

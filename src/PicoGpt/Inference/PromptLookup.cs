namespace PicoGpt.Inference;

/// <summary>
/// Guesses the next tokens from what stands already: greedy text repeats itself. The longest earlier occurrence of the last
/// tokens is looked up, and what followed it there is the draft (A. Saxena, "Prompt lookup decoding", 2023). How far it
/// drafts depends on how often its guesses have been right, for a wrong one costs a little time.
/// </summary>
internal sealed class PromptLookup
{
    /// <summary>The most tokens of a draft.</summary>
    public const int Longest = 24;

    private const int ShortestMatch = 2;
    private const int LongestMatch = 16;

    // Reading a further token together with others takes about this share of reading it alone.
    private const double Cost = 0.05;
    private const double Memory = 0.8;
    private const double Initial = 0.6;

    private readonly int[] _draft = new int[Longest];
    private double _rightness = Initial; // the probability that a guess is right, as it seems

    /// <summary>A draft of at most <paramref name="most"/> tokens of what follows; often empty.</summary>
    public ReadOnlySpan<int> Draft(IReadOnlyList<int> text, int most)
    {
        int length = Math.Min(most, Worthwhile());
        int from = length > 0 ? AfterLongestMatch(text) : -1;
        if (from < 0)
        {
            if (_rightness < Initial) _rightness += 0.005; // tries again some day
            return [];
        }

        // A match that overlaps the end goes on into the draft itself: a loop is drafted as a loop.
        for (int i = 0; i < length; i++) _draft[i] = from + i < text.Count ? text[from + i] : _draft[from + i - text.Count];
        return _draft.AsSpan(0, length);
    }

    /// <summary>Learns how good the last draft was.</summary>
    public void Learn(int drafted, int accepted)
    {
        for (int i = 0; i < Math.Min(accepted + 1, drafted); i++)
            _rightness = (Memory * _rightness) + ((1 - Memory) * (i < accepted ? 1 : 0));
    }

    // as many as are worth their cost: the n-th guess is right with the n-th power of the probability
    private int Worthwhile()
    {
        int length = 0;
        for (double gain = _rightness; length < Longest && gain > Cost; gain *= _rightness) length++;
        return length;
    }

    // the position behind the latest of the longest earlier occurrences of the text's end, or -1
    private static int AfterLongestMatch(IReadOnlyList<int> text)
    {
        int best = ShortestMatch - 1, from = -1;
        for (int end = text.Count - 2; end >= best && best < LongestMatch; end--)
        {
            int length = 0;
            while (length < LongestMatch && length <= end && text[end - length] == text[text.Count - 1 - length]) length++;
            if (length > best) (best, from) = (length, end + 1);
        }

        return from;
    }
}

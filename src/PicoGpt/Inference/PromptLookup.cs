namespace PicoGpt.Inference;

/// <summary>
/// Guesses the next tokens from what stands already: texts repeat themselves. The longest earlier occurrence of the last
/// tokens is looked up, and what followed it there is the guess (A. Saxena, "Prompt lookup decoding", 2023). How far it
/// guesses depends on how often it has been right, because a wrong guess costs a little time.
/// </summary>
internal sealed class PromptLookup : IDraft
{
    /// <summary>The most tokens of a guess.</summary>
    public const int MaxGuesses = 24;

    private const int ShortestMatch = 2;
    private const int MaxMatchLength = 16;
    private const double Memory = 0.8;
    private const double Initial = 0.6;

    private readonly int[] _guess = new int[MaxGuesses];
    private double _rightness = Initial; // the probability that a token is right, as it seems

    /// <inheritdoc/>
    public ReadOnlySpan<int> Guess(ReadOnlySpan<int> text, int max, double cost, double minRightness = 0)
    {
        int length = _rightness < minRightness ? 0 : Math.Min(max, Worthwhile(cost));
        int from = length > 0 ? AfterLongestMatch(text) : -1;
        if (from < 0)
        {
            if (_rightness < Initial) _rightness += 0.005; // tries again eventually
            return [];
        }

        // A match that overlaps the end continues into the guess itself: a loop is guessed as a loop.
        for (int i = 0; i < length; i++) _guess[i] = from + i < text.Length ? text[from + i] : _guess[from + i - text.Length];
        return _guess.AsSpan(0, length);
    }

    /// <inheritdoc/>
    public void Learn(int guessed, int right)
    {
        for (int i = 0; i < Math.Min(right + 1, guessed); i++)
            _rightness = (Memory * _rightness) + ((1 - Memory) * (i < right ? 1 : 0));
    }

    // as many as are worth their cost: the n-th token is right with the n-th power of the probability
    private int Worthwhile(double cost)
    {
        int length = 0;
        for (double gain = _rightness; length < MaxGuesses && gain > cost; gain *= _rightness) length++;
        return length;
    }

    // the position behind the latest of the longest earlier occurrences of the text's end, or -1
    private static int AfterLongestMatch(ReadOnlySpan<int> text)
    {
        int best = ShortestMatch - 1, from = -1;
        for (int end = text.Length - 2; end >= best && best < MaxMatchLength; end--)
        {
            int length = 0;
            while (length < MaxMatchLength && length <= end && text[end - length] == text[text.Length - 1 - length]) length++;
            if (length > best) (best, from) = (length, end + 1);
        }

        return from;
    }
}

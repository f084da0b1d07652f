using System.Numerics;

namespace PicoGpt.Inference;

/// <summary>
/// Guesses the next tokens from what stands already: texts repeat themselves. The longest earlier occurrence of the last
/// tokens is looked up, and what followed it there is the guess (A. Saxena, "Prompt lookup decoding", 2023). How often what followed came again
/// is learned of every step, guessed or not, for long occurrences and short ones apart.
/// </summary>
internal sealed class PromptLookup : IDraft
{
    /// <summary>The most tokens of a guess.</summary>
    public const int MaxGuesses = 24;

    private const int ShortestMatch = 2;
    private const int MaxMatchLength = 16;
    private const double Memory = 0.85;

    private readonly int[] _guess = new int[MaxGuesses];
    private readonly double[] _rightness; // by the logarithm of the length
    private int _length, _match;

    /// <param name="isSampled">Whether the text is sampled: it comes again less often then.</param>
    public PromptLookup(bool isSampled = false)
    {
        // Measured with the built-in model's tales and random weights, over those that are alike 2, 4, 8 and 16 tokens or more.
        _rightness = isSampled ? [0, 0.25, 0.35, 0.5, 0.7] : [0, 0.55, 0.7, 0.87, 0.95];
    }

    /// <inheritdoc/>
    public int Proven { get; private set; }

    /// <inheritdoc/>
    public ReadOnlySpan<int> Guess(ReadOnlySpan<int> text, int max)
    {
        int from = AfterLongestMatch(text);
        _length = from < 0 ? 0 : Math.Min(max, MaxGuesses);

        // A match that overlaps the end continues into the guess itself: a loop is guessed as a loop.
        for (int i = 0; i < _length; i++) _guess[i] = from + i < text.Length ? text[from + i] : _guess[from + i - text.Length];
        return _guess.AsSpan(0, _length);
    }

    /// <inheritdoc/>
    public double Rightness(int index) => _rightness[Class(index)];

    /// <inheritdoc/>
    public void Learn(ReadOnlySpan<int> came)
    {
        if (_length == 0) return;
        bool isRight = true;
        Proven = 0;
        for (int i = 0; i < Math.Min(came.Length, _length) && isRight; i++)
        {
            isRight = came[i] == _guess[i];
            if (isRight) Proven++;
            double rightness = _rightness[Class(i)];
            _rightness[Class(i)] = (Memory * rightness) + ((1 - Memory) * (isRight ? 1 : 0));
        }
    }

    // A right token makes the occurrence longer for the next.
    private int Class(int index) => BitOperations.Log2((uint)Math.Min(_match + index, MaxMatchLength));

    // the position behind the latest of the longest earlier occurrences of the text's end, or -1
    private int AfterLongestMatch(ReadOnlySpan<int> text)
    {
        int from = -1;
        _match = ShortestMatch - 1;
        for (int end = text.Length - 2; end >= _match && _match < MaxMatchLength; end--)
        {
            int length = 0;
            while (length < MaxMatchLength && length <= end && text[end - length] == text[text.Length - 1 - length]) length++;
            if (length > _match) (_match, from) = (length, end + 1);
        }

        return from;
    }
}

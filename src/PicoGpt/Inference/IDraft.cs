namespace PicoGpt.Inference;

/// <summary>
/// Guesses what follows a text. The model verifies a guess by reading it together with the last token, so that a wrong one costs a
/// little time, a right one saves a step, and neither changes the text. Each text has its own.
/// </summary>
internal interface IDraft
{
    /// <summary>Guesses the next tokens.</summary>
    /// <param name="text">The ids of the text so far.</param>
    /// <param name="max">The most tokens to guess.</param>
    /// <returns>The ids, often none; valid until the next call.</returns>
    ReadOnlySpan<int> Guess(ReadOnlySpan<int> text, int max);

    /// <summary>The probability that a token of the last guess is right where those before it are, as it seems.</summary>
    double Rightness(int index);

    /// <summary>How many tokens of the last guess were right.</summary>
    int Proven { get; }

    /// <summary>Learns what came instead of the last guess, verified or not.</summary>
    /// <param name="came">The ids that followed the text.</param>
    void Learn(ReadOnlySpan<int> came);
}

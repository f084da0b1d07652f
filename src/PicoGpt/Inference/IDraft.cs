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
    /// <param name="cost">What reading one further token costs, as a share of what it saves where it is right.</param>
    /// <param name="minRightness">The least probability of being right at which a guess is of use.</param>
    /// <returns>The ids, often none; valid until the next call.</returns>
    ReadOnlySpan<int> Guess(ReadOnlySpan<int> text, int max, double cost, double minRightness = 0);

    /// <summary>Learns how good the last guess was.</summary>
    /// <param name="guessed">Tokens that were guessed.</param>
    /// <param name="right">Tokens of them that were right, from the first on.</param>
    void Learn(int guessed, int right);
}

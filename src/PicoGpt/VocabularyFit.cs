using PicoGpt.Tokens;

namespace PicoGpt;

/// <summary>Whether a vocabulary is a model's own, as far as the numbers tell. With another's, texts would be read and written wrongly and without an error.</summary>
internal static class VocabularyFit
{
    // Models are padded to a multiple of 64 or 128 rows, not by a quarter.
    private const double LeastShare = 0.75;

    /// <summary>What does not fit, in a sentence; <see langword="null"/> where nothing is known to.</summary>
    /// <param name="tokenizer">The vocabulary.</param>
    /// <param name="rows">The ids that the model has rows for, <c>n_vocab</c>.</param>
    public static string? DoubtOf(Tokenizer tokenizer, int rows)
    {
        if (tokenizer.MaxIdOfVocabulary >= rows)
            return $"'{tokenizer.Location}' has ids up to {tokenizer.MaxIdOfVocabulary}, but the model has {rows} tokens; it is another model's vocabulary.";
        return tokenizer.Count < LeastShare * rows
            ? $"'{tokenizer.Location}' has {tokenizer.Count} tokens, but the model has {rows}; it is another model's vocabulary, or a part of one."
            : null;
    }
}

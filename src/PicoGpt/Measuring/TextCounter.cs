using System.Text;
using PicoGpt.Tokens;

namespace PicoGpt.Measuring;

/// <summary>Counts the tokens of texts, and cuts texts to a number of tokens, without running a model.</summary>
public static class TextCounter
{
    /// <summary>Counts the tokens, words, characters and bytes of a text.</summary>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="text">The text.</param>
    /// <param name="first">Count so many of its first tokens; <see langword="null"/> for all.</param>
    /// <param name="allowSpecial">Take <c>&lt;|endoftext|&gt;</c> in the text for that token.</param>
    /// <returns>The counts.</returns>
    /// <exception cref="Gpt2Exception">The vocabulary has no token for a part of the text.</exception>
    public static Gpt2TextCount Count(Tokenizer tokenizer, string text, int? first = null, bool allowSpecial = false)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentNullException.ThrowIfNull(text);
        int tokens = tokenizer.Encode(text, allowSpecial).Length;
        bool isCut = tokens > first;
        if (isCut) text = Cut(tokenizer, text, first!.Value, allowSpecial);
        return new Gpt2TextCount
        {
            Text = text,
            TokenCount = isCut ? first!.Value : tokens,
            WordCount = WordsOf(text),
            CharacterCount = text.EnumerateRunes().Count(),
            ByteCount = Encoding.UTF8.GetByteCount(text),
            IsCut = isCut,
        };
    }

    /// <summary>The beginning of a text that the first tokens make; a character of which they have only some bytes is left out.</summary>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="text">The text.</param>
    /// <param name="first">How many tokens.</param>
    /// <param name="allowSpecial">Take <c>&lt;|endoftext|&gt;</c> in the text for that token.</param>
    /// <returns>The beginning; the text itself where it has no more tokens.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The number is below 0.</exception>
    /// <exception cref="Gpt2Exception">The vocabulary has no token for a part of the text.</exception>
    public static string Cut(Tokenizer tokenizer, string text, int first, bool allowSpecial = false)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentNullException.ThrowIfNull(text);
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        IReadOnlyList<Gpt2Token> tokens = tokenizer.Tokenize(text, allowSpecial);
        if (tokens.Count <= first) return text;

        // A token in the middle of a character has no length: the character began in one before it, and is its last.
        Gpt2Token next = tokens[first];
        if (next.Length > 0 || first == 0) return text[..next.Start];
        return text[..LastCharacter(text, tokens.Take(first).Last(token => token.Length > 0))];
    }

    private static int LastCharacter(string text, Gpt2Token token)
    {
        int end = token.Start + token.Length;
        return char.IsLowSurrogate(text[end - 1]) && end - 1 > token.Start ? end - 2 : end - 1;
    }

    private static int WordsOf(string text)
    {
        int words = 0;
        bool isInside = false;
        foreach (char c in text)
        {
            bool isSpace = char.IsWhiteSpace(c);
            if (!isSpace && !isInside) words++;
            isInside = !isSpace;
        }

        return words;
    }
}

namespace PicoGpt.Tokens;

/// <summary>A token that is found in a text as it is spelled, before the rest of the text is cut up.</summary>
/// <param name="Text">Its spelling; not empty.</param>
/// <param name="Id">Its id.</param>
/// <param name="IsSpecial">Whether it marks a text instead of being a part of it, so that it is left out of what is shown as text.</param>
internal sealed record AddedToken(string Text, int Id, bool IsSpecial)
{
    /// <summary>Whether it takes the white space before it.</summary>
    public bool LStrip { get; init; }

    /// <summary>Whether it takes the white space after it.</summary>
    public bool RStrip { get; init; }

    /// <summary>Whether it is found only where no letter, digit or underscore touches it.</summary>
    public bool SingleWord { get; init; }

    /// <summary>
    /// Whether it is looked for in what the others leave. transformers looks for such a token in the normalized text, which is the text itself
    /// in every vocabulary that is read here.
    /// </summary>
    public bool Normalized { get; init; }

    /// <summary>
    /// Whether it is found only where special tokens are allowed: <c>&lt;|endoftext|&gt;</c>, which OpenAI's own code takes for ordinary
    /// characters. Any other token that a model's files add is that model's own, and found always.
    /// </summary>
    public bool NeedsLeave { get; init; } = Text == Tokenizer.EndOfTextSymbol;
}

namespace PicoGpt.Tokens;

/// <summary>A token that is found in a text as it is spelled, before the rest of the text is cut up.</summary>
/// <param name="Text">Its spelling; not empty.</param>
/// <param name="Id">Its id.</param>
/// <param name="IsSpecial">Whether it is no part of a text: it is found only where special tokens are allowed.</param>
internal sealed record AddedToken(string Text, int Id, bool IsSpecial);

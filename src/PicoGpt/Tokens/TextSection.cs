namespace PicoGpt.Tokens;

/// <summary>A part of a text: an added token with the white space that it takes, or what lies between two of them.</summary>
/// <param name="Start">Where it begins, in UTF-16 units.</param>
/// <param name="Length">Its length in them.</param>
/// <param name="Token">The token; <see langword="null"/> of ordinary text.</param>
internal readonly record struct TextSection(int Start, int Length, AddedToken? Token)
{
    /// <summary>Where it ends.</summary>
    public int End => Start + Length;
}

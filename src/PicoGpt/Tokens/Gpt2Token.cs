namespace PicoGpt.Tokens;

/// <summary>A token of a text.</summary>
/// <param name="Index">Its place among the text's tokens, from 0.</param>
/// <param name="Id">Its number in the vocabulary.</param>
/// <param name="Text">Its text by itself; a part of a character is U+FFFD.</param>
/// <param name="Symbol">Its spelling in <c>encoder.json</c>, such as <c>Ġhello</c>.</param>
/// <param name="Bytes">Its bytes.</param>
/// <param name="Start">Where in the text, in UTF-16 units, the first character stands that begins in this token.</param>
/// <param name="Length">
/// The UTF-16 units of all characters that begin in this token; 0 for a token in the middle of a character.
/// </param>
public sealed record Gpt2Token(int Index, int Id, string Text, string Symbol, IReadOnlyList<byte> Bytes, int Start, int Length)
{
    /// <summary>The file that the text is from, if any.</summary>
    public string? Path { get; init; }

    /// <summary>The line in which it begins, from 1: of the file, where the text's place in one is known, else of the text.</summary>
    public int Line { get; init; } = 1;

    /// <inheritdoc/>
    public override string ToString() => Text;
}

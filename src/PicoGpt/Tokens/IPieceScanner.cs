namespace PicoGpt.Tokens;

/// <summary>Cuts text into the pieces within which bytes are merged.</summary>
internal interface IPieceScanner
{
    /// <summary>The length, in UTF-16 units, of the piece that a text which is not empty begins with.</summary>
    int NextLength(ReadOnlySpan<char> text);
}

using System.Text;

namespace PicoGpt.Tokens;

/// <summary>
/// Decodes tokens one by one without ever breaking a character: bytes that begin one are held back until it is whole.
/// </summary>
/// <param name="encoder">The vocabulary.</param>
public sealed class StreamingDecoder(Tokenizer encoder)
{
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();

    /// <summary>Takes the next token.</summary>
    /// <param name="id">Its id.</param>
    /// <returns>The text that is now certain; it may be empty.</returns>
    /// <exception cref="Gpt2Exception">No token has the id.</exception>
    public string Append(int id) => Decode(encoder.GetBytes(id), flush: false);

    /// <summary>Ends the text.</summary>
    /// <returns>U+FFFD where the text ends within a character; otherwise nothing.</returns>
    public string Flush() => Decode([], flush: true);

    private string Decode(byte[] bytes, bool flush)
    {
        char[] characters = new char[_decoder.GetCharCount(bytes, flush)];
        int count = _decoder.GetChars(bytes, characters, flush);
        return new string(characters, 0, count);
    }
}

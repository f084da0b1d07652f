namespace PicoGpt.Foundation;

/// <summary>
/// A fault in what the user gave: a file, a tensor, a prompt. The message is one clear sentence that says where,
/// what was expected, what was found and what to do; by which command or option that is done, each shell adds by <see cref="Error"/>.
/// </summary>
public class Gpt2Exception : Exception
{
    /// <summary>What to do with a file that is not as it was written.</summary>
    internal const string CopyAgain = "copy or download it again";

    // Names from a hostile file may take 32 kB each.
    private const int MaxCharacters = 8000;

    /// <summary>Creates the exception.</summary>
    /// <param name="error">The kind of fault.</param>
    /// <param name="message">
    /// The sentence for the user. Control characters in it, which may come from a file, are spelled out, so that it is harmless on any
    /// screen; of a very long one the middle is left out.
    /// </param>
    /// <param name="path">The file or folder concerned, if one is.</param>
    /// <param name="innerException">What caused it, if anything did.</param>
    public Gpt2Exception(Gpt2Error error, string message, string? path = null, Exception? innerException = null)
        : base(Harmless(message), innerException)
    {
        Error = error;
        Path = path;
    }

    /// <summary>Creates the exception of a reason and what to do, which its sentence joins: <c>reason; advice.</c></summary>
    /// <param name="error">The kind of fault.</param>
    /// <param name="reason">Where, what was expected and what was found, without a full stop.</param>
    /// <param name="advice">What to do, such as <see cref="CopyAgain"/>.</param>
    /// <param name="path">The file or folder concerned, if one is.</param>
    /// <param name="innerException">What caused it, if anything did.</param>
    internal static Gpt2Exception WithAdvice(Gpt2Error error, string reason, string advice, string? path = null, Exception? innerException = null) =>
        new(error, $"{reason}; {advice}.", path, innerException) { Reason = reason };

    /// <summary>The sentence without the advice at its end, and without a full stop: for who gives another advice.</summary>
    internal string Reason
    {
        get => field ?? Message.TrimEnd('.');
        private init => field = Harmless(value);
    }

    /// <summary>The kind of fault; stable, for programs to switch on.</summary>
    public Gpt2Error Error { get; }

    /// <summary>The file or folder concerned, or <see langword="null"/>.</summary>
    public string? Path { get; }

    /// <summary>The model concerned, as it was asked for by name, or <see langword="null"/>.</summary>
    public string? Model { get; init; }

    private static string Harmless(string message) => Shorten(VisibleText.Of(Shorten(message)));

    private static string Shorten(string text)
    {
        const int Half = MaxCharacters / 2;
        return text.Length <= MaxCharacters ? text : $"{text[..Half]} … {text[^Half..]}";
    }
}

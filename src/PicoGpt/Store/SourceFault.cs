namespace PicoGpt.Store;

/// <summary>A source does not give a file; another may.</summary>
internal sealed class SourceFault(Gpt2Error error, string message, Exception? innerException = null) : Exception(message, innerException)
{
    public Gpt2Error Error { get; } = error;
}

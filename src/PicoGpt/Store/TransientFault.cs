namespace PicoGpt.Store;

/// <summary>A fault of a source that may pass, so that it is worth another try.</summary>
internal sealed class TransientFault(string message, TimeSpan? retryAfter = null, Exception? innerException = null)
    : Exception(message, innerException)
{
    /// <summary>How long the server asks to be left alone.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;
}

namespace PicoGpt.Store;

/// <summary>A source does not give the file; another one may.</summary>
internal sealed class SourceFault(Gpt2Error error, string message, Exception? innerException = null) : Exception(message, innerException)
{
    public Gpt2Error Error { get; } = error;

    /// <summary>Whether it may pass, so that a later try is worthwhile.</summary>
    public bool MayPass => InnerException is TransientFault or RefetchFault { Error: Gpt2Error.DownloadFailed };

    /// <summary>Whether what arrives has no end, so that none of it is to be kept.</summary>
    public bool IsEndless { get; init; }
}

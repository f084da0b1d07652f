namespace PicoGpt.Files;

/// <summary>Counts the bytes that are written, and ends the writing when that is asked for.</summary>
/// <param name="progress">Told their number.</param>
/// <param name="cancellationToken">Ends it.</param>
internal sealed class WriteMeter(IProgress<long>? progress, CancellationToken cancellationToken)
{
    private long _written;

    /// <summary>What ends the writing.</summary>
    public CancellationToken CancellationToken => cancellationToken;

    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public void Add(int bytes)
    {
        _written += bytes;
        progress?.Report(_written);
        cancellationToken.ThrowIfCancellationRequested();
    }
}

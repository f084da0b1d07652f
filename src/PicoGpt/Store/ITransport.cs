namespace PicoGpt.Store;

/// <summary>Gives parts of files from one source.</summary>
internal interface ITransport : IDisposable
{
    /// <summary>Asks for a range of a file.</summary>
    /// <param name="address">The file.</param>
    /// <param name="range">The bytes that are wanted; of a shorter file, fewer arrive.</param>
    /// <param name="validator">The version of the file that is wanted; empty for any.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    /// <exception cref="TransientFault">Another try may succeed.</exception>
    /// <exception cref="SourceFault">The source does not have the file.</exception>
    /// <exception cref="RefetchFault">The file at the source is shorter than the range's start.</exception>
    Task<FilePart> OpenAsync(Uri address, ByteRange range, string validator, CancellationToken cancellationToken);
}

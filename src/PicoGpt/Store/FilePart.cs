namespace PicoGpt.Store;

/// <summary>What a source answers: a part of a file, or the whole of it.</summary>
/// <param name="Body">The bytes, as they come.</param>
/// <param name="IsRange">Whether they are the range that was asked for; else the whole file.</param>
/// <param name="TotalLength">The length of the whole file, or <see langword="null"/> when the source does not say.</param>
/// <param name="Validator">The version of the file: its ETag or date of change; empty when the source does not say.</param>
/// <param name="Owner">What is to be disposed with the body.</param>
internal sealed record FilePart(Stream Body, bool IsRange, long? TotalLength, string Validator, IDisposable? Owner) : IDisposable
{
    /// <summary>Where a range ends that may be shorter than what was asked for.</summary>
    public long? End { get; init; }

    public void Dispose()
    {
        Body.Dispose();
        Owner?.Dispose();
    }
}

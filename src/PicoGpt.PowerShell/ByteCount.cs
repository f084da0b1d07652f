namespace PicoGpt.PowerShell;

/// <summary>A number of bytes that one thread reports and another shows.</summary>
internal sealed class ByteCount : IProgress<long>
{
    private long _bytes;

    /// <summary>The last number reported.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <inheritdoc/>
    public void Report(long value) => Interlocked.Exchange(ref _bytes, value);
}

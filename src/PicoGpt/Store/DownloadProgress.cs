namespace PicoGpt.Store;

/// <summary>How far a download is, at one moment.</summary>
/// <param name="State">What it is doing.</param>
/// <param name="Detail">What it waits for, or why it tries again; otherwise empty.</param>
/// <param name="File">The name of the file under way; empty before the first.</param>
/// <param name="FileBytes">Bytes of that file that have arrived.</param>
/// <param name="FileTotal">Bytes of that file, or <see langword="null"/> while they are not known.</param>
/// <param name="ModelBytes">Bytes that have arrived of all files that were asked for.</param>
/// <param name="ModelTotal">Bytes of all files that were asked for, as far as their sizes are known.</param>
public sealed record DownloadProgress(
    DownloadState State, string Detail, string File, long FileBytes, long? FileTotal, long ModelBytes, long ModelTotal)
{
    /// <summary>Bytes a second over the last five seconds; 0 while it is not yet known.</summary>
    public double BytesPerSecond { get; init; }

    /// <summary>The time that is left at this rate, or <see langword="null"/> while it cannot be estimated.</summary>
    public TimeSpan? TimeLeft => BytesPerSecond > 0 && ModelTotal > ModelBytes
        ? TimeSpan.FromSeconds(Math.Min((ModelTotal - ModelBytes) / BytesPerSecond, TimeSpan.MaxValue.TotalSeconds / 2))
        : null;
}

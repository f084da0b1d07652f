namespace PicoGpt.Store;

/// <summary>How models are fetched.</summary>
public sealed record DownloadOptions
{
    /// <summary>The environment variable that switches downloads off when it is <c>1</c>.</summary>
    public const string OfflineVariable = "PICOGPT_OFFLINE";

    /// <summary>The sources, tried in order; by default those of <see cref="ModelSource.FromEnvironment"/>.</summary>
    public IReadOnlyList<ModelSource>? Sources { get; init; }

    /// <summary>The names of the files to fetch; by default all of the model.</summary>
    public IReadOnlyList<string>? Files { get; init; }

    /// <summary>Whether files that are here are fetched again.</summary>
    public bool Force { get; init; }

    /// <summary>Whether nothing but folders may be asked; by default what <c>PICOGPT_OFFLINE</c> says.</summary>
    public bool Offline { get; init; } = Environment.GetEnvironmentVariable(OfflineVariable) == "1";

    /// <summary>The most requests at once.</summary>
    public int Connections { get; init; } = 8;

    /// <summary>Bytes a request.</summary>
    public int ChunkSize { get; init; } = 8 * 1024 * 1024;

    /// <summary>How long a source may stay silent.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Bytes a second below which, over <see cref="StallTimeout"/>, a connection counts as silent.</summary>
    public int MinimumRate { get; init; } = 1024;

    /// <summary>How often a request is tried again before its source is given up.</summary>
    public int Retries { get; init; } = 5;

    /// <summary>The pause before the first retry, doubled for each further one and varied at random.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest pause, whatever a server asks for.</summary>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The free bytes of the disk that holds a folder.</summary>
    internal Func<string, long> FreeSpace { get; init; } = FreeBytes;

    // A network share has no drive on Windows; that it is full shows then when it is.
    private static long FreeBytes(string folder)
    {
        try
        {
            return new DriveInfo(folder).AvailableFreeSpace;
        }
        catch (ArgumentException)
        {
            return long.MaxValue;
        }
    }
}

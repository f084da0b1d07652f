using PicoGpt.Files;
using static PicoGpt.Foundation.Argument;

namespace PicoGpt.Store;

/// <summary>How models are fetched.</summary>
public sealed record DownloadOptions
{
    /// <summary>The environment variable that switches downloads off when it is <c>1</c>.</summary>
    public const string OfflineVariable = "PICOGPT_OFFLINE";

    private static readonly TimeSpan MaxPause = TimeSpan.FromDays(1);

    /// <summary>The sources, tried in order; by default those of <see cref="ModelSource.FromEnvironment"/>.</summary>
    public IReadOnlyList<ModelSource>? Sources { get; init; }

    /// <summary>The names of the files to fetch; by default all of the model.</summary>
    public IReadOnlyList<string>? Files { get; init; }

    /// <summary>Whether files that are here are fetched again.</summary>
    public bool Force { get; init; }

    /// <summary>Whether only folders may be used as sources; by default what <c>PICOGPT_OFFLINE</c> says.</summary>
    public bool Offline { get; init; } = Environment.GetEnvironmentVariable(OfflineVariable) == "1";

    /// <summary>The most requests at once.</summary>
    public int Connections { get; init; } = 8;

    /// <summary>Bytes per request.</summary>
    public int ChunkSize { get; init; } = 8 * 1024 * 1024;

    /// <summary>How long a source may stay silent.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Bytes per second below which, over <see cref="StallTimeout"/>, a connection counts as silent.</summary>
    public int MinimumRate { get; init; } = 1024;

    /// <summary>How often a request is tried again before its source is given up.</summary>
    public int Retries { get; init; } = 5;

    /// <summary>The pause before the first retry, doubled for each further one and varied at random.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest pause, whatever a server asks for.</summary>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Throws when a number is outside its range.</summary>
    /// <exception cref="Gpt2Exception">A number is outside its range; the message says which.</exception>
    internal void Validate()
    {
        Require(Connections >= 1, $"{nameof(Connections)} is {Connections}; give 1 or more.");
        Require(ChunkSize >= 1, $"{nameof(ChunkSize)} is {ChunkSize}; give 1 byte or more.");
        Require(Retries >= 0, $"{nameof(Retries)} is {Retries}; give 0 or more.");
        Require(StallTimeout > TimeSpan.Zero && StallTimeout <= MaxPause, $"{nameof(StallTimeout)} is {StallTimeout}; give more than 0, and at most a day.");
        foreach ((string name, TimeSpan pause) in ((string, TimeSpan)[])[(nameof(RetryDelay), RetryDelay), (nameof(MaxRetryDelay), MaxRetryDelay)])
            Require(pause >= TimeSpan.Zero && pause <= MaxPause, $"{name} is {pause}; give 0 to a day.");
    }

    /// <summary>The most bytes taken for a file of unknown size: only small files have none, and an endless answer must not fill the disk.</summary>
    internal long MaxUnknownSize { get; init; } = 1L << 30;

    /// <summary>What tells how fast a connection is.</summary>
    internal TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>The free bytes of the disk that holds a folder.</summary>
    internal Func<string, long> FreeSpace { get; init; } = DiskSpace.FreeIn;
}

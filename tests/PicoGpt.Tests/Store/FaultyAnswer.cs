namespace PicoGpt.Tests.Store;

/// <summary>How <see cref="FaultyServer"/> deviates from a good answer.</summary>
internal sealed record FaultyAnswer
{
    /// <summary>Another status, with <see cref="Body"/> as the body.</summary>
    public int? Status { get; init; }

    /// <summary>Another whole body; it has no ranges then.</summary>
    public byte[]? Body { get; init; }

    /// <summary>Further headers, or others.</summary>
    public Dictionary<string, string> Headers { get; init; } = [];

    /// <summary>Bytes of the body after which the connection is cut.</summary>
    public int? CutAfter { get; init; }

    /// <summary>Bytes of the body after which nothing comes any more; -1 for not even the headers.</summary>
    public int? StallAfter { get; init; }

    /// <summary>Bytes of the body after which the rest comes byte by byte, 50 a second.</summary>
    public int? DripAfter { get; init; }

    /// <summary>Sends the whole file, whatever was asked for.</summary>
    public bool IgnoreRange { get; init; }

    /// <summary>Does not say how long the body is.</summary>
    public bool HideLength { get; init; }

    /// <summary>The most bytes of a range, whatever was asked for.</summary>
    public int? AtMost { get; init; }

    /// <summary>Does not say how long the whole file is where it gives a range.</summary>
    public bool HideTotal { get; init; }

    /// <summary>Sends no ETag.</summary>
    public bool HideTag { get; init; }

    /// <summary>The byte of the file that arrives wrong.</summary>
    public long? CorruptAt { get; init; }
}

namespace PicoGpt.Tests.Store;

/// <summary>A request to <see cref="FaultyServer"/>.</summary>
/// <param name="File">The file's name.</param>
/// <param name="Number">How many requests for this file came before.</param>
/// <param name="Start">The first byte wanted.</param>
/// <param name="Path">The path after the model's name.</param>
internal sealed record FaultyRequest(string File, int Number, long Start, string Path)
{
    /// <summary>The header Authorization; empty where there is none.</summary>
    public string Authorization { get; init; } = "";

    /// <summary>The query with its question mark; empty where there is none.</summary>
    public string Query { get; init; } = "";

    /// <summary>The header If-Range; empty where there is none.</summary>
    public string IfRange { get; init; } = "";
}

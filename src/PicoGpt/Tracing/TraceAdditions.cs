using PicoGpt.Pictures;

namespace PicoGpt.Tracing;

/// <summary>What a page shows beside a trace.</summary>
public sealed record TraceAdditions
{
    /// <summary>The trace of the same text without interventions, which kept the same; the page shows both side by side.</summary>
    public Gpt2Trace? Before { get; init; }

    /// <summary>Grids, such as attributions and sweeps.</summary>
    public IReadOnlyList<Gpt2GridPair> Grids { get; init; } = [];
}

namespace PicoGpt.Fuzz;

/// <summary>What came of a target's cases.</summary>
internal sealed class FuzzCount(string target)
{
    public string Target { get; } = target;

    public long Read { get; set; }

    public long Refused { get; set; }

    public long Cases => Read + Refused + Finds.Count;

    public TimeSpan MaxTime { get; set; }

    public long MaxBytes { get; set; }

    /// <summary>What should not have happened.</summary>
    public List<FuzzFind> Finds { get; } = [];
}

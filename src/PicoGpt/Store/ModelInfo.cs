namespace PicoGpt.Store;

/// <summary>A model of the catalog and what of it is on this machine.</summary>
/// <param name="Name">The model's name.</param>
/// <param name="State">Whether its files are here.</param>
/// <param name="ParameterCount">The number of trainable parameters.</param>
/// <param name="SizeOnDisk">
/// Bytes of it on this machine: its files, finished or not, and converted weights. Removing the model deletes all of them, but not what
/// its files link to.
/// </param>
/// <param name="SizeToFetch">Bytes of it that would have to be fetched.</param>
/// <param name="MemoryNeeded">Bytes of memory to run it with a full context.</param>
/// <param name="Path">The folder where its files are or would be.</param>
public sealed record ModelInfo(string Name, ModelState State, long ParameterCount, long SizeOnDisk, long SizeToFetch, long MemoryNeeded, string Path)
{
    /// <summary>How much of the model is on this machine, in whole per cent; 100 only when all of it is.</summary>
    public int Percent => State is ModelState.BuiltIn or ModelState.Cached ? 100
        : SizeFetched == 0 ? 0
        : (int)Math.Min(99, SizeFetched * 100 / (SizeFetched + SizeToFetch));

    /// <summary>Bytes of the model's files that no longer have to be fetched.</summary>
    internal long SizeFetched { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Name;
}

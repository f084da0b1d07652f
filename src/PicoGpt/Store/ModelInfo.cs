namespace PicoGpt.Store;

/// <summary>A model of the catalog and what of it is on this machine.</summary>
/// <param name="Name">The model's name.</param>
/// <param name="State">Whether its files are here.</param>
/// <param name="ParameterCount">The number of trainable parameters.</param>
/// <param name="SizeOnDisk">
/// Bytes of it that are here: its files, unfinished ones, and weights that were converted. All go when it is removed, but for what its
/// files link to.
/// </param>
/// <param name="SizeToFetch">Bytes of it that are not here.</param>
/// <param name="MemoryNeeded">Bytes of memory to run it with a full context.</param>
/// <param name="Path">The folder where its files are or would be.</param>
public sealed record ModelInfo(string Name, ModelState State, long ParameterCount, long SizeOnDisk, long SizeToFetch, long MemoryNeeded, string Path)
{
    /// <summary>How much of the model is here, in whole per cent; 100 only when all is.</summary>
    public int Percent => State is ModelState.BuiltIn or ModelState.Cached ? 100
        : SizeFetched == 0 ? 0
        : (int)Math.Min(99, SizeFetched * 100 / (SizeFetched + SizeToFetch));

    /// <summary>Bytes of the model's files that need not be fetched any more.</summary>
    internal long SizeFetched { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Name;
}

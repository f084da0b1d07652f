namespace PicoGpt.Store;

/// <summary>A model of the catalog and what of it is on this machine.</summary>
/// <param name="Name">The model's name.</param>
/// <param name="State">Whether its files are here.</param>
/// <param name="ParameterCount">The number of trainable parameters.</param>
/// <param name="DownloadSize">Bytes of all its files; 0 for a built-in model.</param>
/// <param name="SizeOnDisk">Bytes of it that are here, those of unfinished files among them.</param>
/// <param name="Path">The folder where its files are or would be.</param>
public sealed record ModelInfo(string Name, ModelState State, long ParameterCount, long DownloadSize, long SizeOnDisk, string Path)
{
    /// <summary>How much of the model is here, in whole per cent; 100 only when all is.</summary>
    public int Percent => State is ModelState.BuiltIn or ModelState.Cached ? 100
        : DownloadSize == 0 ? 0
        : (int)Math.Min(99, SizeOnDisk * 100 / DownloadSize);

    /// <inheritdoc/>
    public override string ToString() => Name;
}

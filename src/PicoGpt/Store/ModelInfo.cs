namespace PicoGpt.Store;

/// <summary>A model of the catalog and what of it is on this machine.</summary>
/// <param name="Name">The model's name.</param>
/// <param name="State">Whether its files are here.</param>
/// <param name="ParameterCount">The number of trainable parameters.</param>
/// <param name="DownloadSize">Bytes of all its files; 0 for a built-in model.</param>
/// <param name="SizeOnDisk">Bytes of those of its files that are here.</param>
/// <param name="Path">The folder where its files are or would be.</param>
public sealed record ModelInfo(string Name, ModelState State, long ParameterCount, long DownloadSize, long SizeOnDisk, string Path)
{
    /// <inheritdoc/>
    public override string ToString() => Name;
}

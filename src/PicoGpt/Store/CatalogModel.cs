using PicoGpt.Architecture;

namespace PicoGpt.Store;

/// <summary>A model that PicoGpt knows by name.</summary>
/// <param name="Name">Its name: its size, as OpenAI names it.</param>
/// <param name="Aliases">Other names by which people know it.</param>
/// <param name="HyperParameters">Its shape.</param>
/// <param name="Files">Its files; none for a model that ships with the module.</param>
public sealed record CatalogModel(string Name, IReadOnlyList<string> Aliases, Gpt2HyperParameters HyperParameters, IReadOnlyList<CatalogFile> Files)
{
    /// <summary>Whether the model ships with the module.</summary>
    public bool IsBuiltIn => Files.Count == 0;

    /// <summary>The number of trainable parameters.</summary>
    public long ParameterCount => HyperParameters.ParameterCount;

    /// <summary>The bytes of all files together, as far as their sizes are known.</summary>
    public long DownloadSize => Files.Sum(file => file.Size ?? 0);
}

using PicoGpt.Weights;

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

    /// <summary>
    /// The bytes of memory to run the model with a full context: the weights, the keys and values of every layer and position in
    /// float32 (2 · n_layer · n_ctx · n_embd · 4), and the activations.
    /// </summary>
    /// <param name="bytesPerWeight">Bytes a weight takes: 4 for float32.</param>
    /// <returns>An estimate, a few per cent from the truth.</returns>
    public long MemoryNeeded(int bytesPerWeight = sizeof(float))
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytesPerWeight);
        Gpt2HyperParameters h = HyperParameters;
        long cache = 2L * h.NLayer * h.NCtx * h.NEmbd * sizeof(float);

        // A prompt is read in chunks of 256 positions; each has eleven rows of n_embd (x, norm, q, k, v, heads, four of mlp, projection).
        long activations = ((11L * Math.Min(256, h.NCtx) * h.NEmbd) + h.NVocab) * sizeof(float);
        return (ParameterCount * bytesPerWeight) + cache + activations;
    }
}

using System.Runtime.InteropServices;
using System.Security.Cryptography;
using PicoGpt.Checkpoints;
using PicoGpt.Files;

namespace PicoGpt.Adapters;

/// <summary>
/// What tells a model from another of the same shape, cheaply: SHA-256 of its gains and biases, which every training of the whole model
/// changes. An adapter names that of the model that it was trained on.
/// </summary>
internal static class BaseModelDigest
{
    /// <summary>Its key in an adapter's file.</summary>
    public const string Key = "picogpt.base_sha256";

    /// <param name="vectors">The gains and biases by name.</param>
    /// <returns>The digest; <see langword="null"/> where they are stored in less than float32, and so are not the original's.</returns>
    public static string? Of(IEnumerable<(string Name, StoredTensor Tensor)> vectors)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach ((string name, StoredTensor tensor) in vectors)
        {
            if (tensor.DType != TensorDType.Float32 || tensor.Quantization is not null) return null;
            hash.AppendData(MemoryMarshal.AsBytes(name.AsSpan()));
            using var values = new HeldMemory<float>(tensor.GetFloats());
            hash.AppendData(MemoryMarshal.AsBytes(values.Span));
            values.ThrowIfChanged();
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}

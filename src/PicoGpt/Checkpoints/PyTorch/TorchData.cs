using PicoGpt.Files;

namespace PicoGpt.Checkpoints.PyTorch;

/// <summary>Where in a file of PyTorch's the numbers of a storage stand.</summary>
/// <param name="Offset">Where they begin.</param>
/// <param name="Size">Their bytes, which lie within the file.</param>
/// <param name="IsCompressed">Whether they cannot be read where they stand.</param>
/// <param name="Checksum">Their checksum, where there is one.</param>
internal sealed record TorchData(long Offset, long Size, bool IsCompressed = false, Crc32Range? Checksum = null);

namespace PicoGpt.Checkpoints;

/// <summary>A range of a file and the CRC-32 that its bytes should have.</summary>
internal readonly record struct Crc32Range(long Offset, long Length, uint Crc32);

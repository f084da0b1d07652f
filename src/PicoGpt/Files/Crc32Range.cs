namespace PicoGpt.Files;

/// <summary>A range of a file and the CRC-32 that its bytes should have.</summary>
internal sealed record Crc32Range(long Offset, long Length, uint Crc32)
{
    /// <summary>The tensor, or whoever else, for whose sake the range was last found whole: others that lie in it need not look again.</summary>
    public object? CheckedFor { get; set; }
}

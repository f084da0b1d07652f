namespace PicoGpt.Files;

/// <summary>One file of a ZIP archive; its data lies within the archive.</summary>
/// <param name="Name">The name, with slashes.</param>
/// <param name="IsDeflated">Whether it is compressed with Deflate; otherwise it is stored as it is.</param>
/// <param name="Crc32">The CRC-32 of the file.</param>
/// <param name="CompressedSize">The bytes of the data in the archive.</param>
/// <param name="Size">The bytes of the file.</param>
/// <param name="DataOffset">Where the data begins in the archive.</param>
internal sealed record ZipEntry(string Name, bool IsDeflated, uint Crc32, long CompressedSize, long Size, long DataOffset)
{
    /// <summary>The checksum of the data as it lies in the archive, where it is stored as it is.</summary>
    public Crc32Range Checksum { get; } = new(DataOffset, Size, Crc32);
}

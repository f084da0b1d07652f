using PicoGpt.Files;

namespace PicoGpt.Checkpoints;

/// <summary>A tensor in a compressed npy file of an archive; it is decompressed, and its checksum verified, each time it is read.</summary>
internal sealed class DeflatedTensor : StoredTensor
{
    private readonly ShardMappings _files;
    private readonly ZipEntry _entry;
    private readonly int _headerLength;

    /// <param name="files">What keeps the archive mapped.</param>
    /// <param name="entry">The compressed file; it has the header and the elements.</param>
    /// <param name="headerLength">The bytes of the header.</param>
    /// <param name="name">The tensor's name.</param>
    /// <param name="dtype">The element type, one of a fixed size.</param>
    /// <param name="shape">The dimensions.</param>
    public DeflatedTensor(ShardMappings files, ZipEntry entry, int headerLength, string name, TensorDType dtype, TensorShape shape)
        : base(name, dtype, shape) => (_files, _entry, _headerLength) = (files, entry, headerLength);

    public override long Size => _entry.Size - _headerLength;

    public override string File => _files.PathOf(0);

    public override int? Shard => 0;

    public override bool HasChecksum => true;

    public override string GetFingerprint(CancellationToken cancellationToken) => $"{_entry.Crc32:x8}";

    public override ReadOnlyMemory<byte> GetBytes()
    {
        using var hold = new MappingHold(_files);
        MappedFile file = _files.Open(0);
        try
        {
            byte[] bytes = Zip.Inflate(file, _entry);
            file.ThrowIfChanged(); // a different error from a wrong checksum
            uint crc = Crc32.Compute(bytes);
            return crc == _entry.Crc32
                ? bytes.AsMemory(_headerLength)
                : throw new InvalidDataException($"its CRC-32 should be {_entry.Crc32:x8}, but its bytes give {crc:x8}");
        }
        catch (InvalidDataException fault)
        {
            throw new Gpt2Exception(
                Gpt2Error.ChecksumMismatch,
                $"Tensor '{Name}' in '{file.Path}' is damaged: {fault.Message}; copy or download the file again.",
                file.Path,
                fault);
        }
    }

    public override ReadOnlyMemory<float> GetFloats() => TensorConversion.ToFloats(DType, GetBytes().Span);
}

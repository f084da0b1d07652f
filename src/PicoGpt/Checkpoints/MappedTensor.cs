using PicoGpt.Files;

namespace PicoGpt.Checkpoints;

/// <summary>A tensor that lies in a mapped file in one piece: little-endian, row-major.</summary>
internal sealed class MappedTensor : StoredTensor
{
    private readonly ShardMappings _files;
    private readonly int _file;
    private readonly long _offset;
    private readonly Crc32Range? _checksum;

    /// <param name="files">What keeps the file mapped.</param>
    /// <param name="file">Which of its files.</param>
    /// <param name="offset">Where the elements begin; all of them lie within the file.</param>
    /// <param name="name">The tensor's name.</param>
    /// <param name="dtype">The element type, one of a fixed size.</param>
    /// <param name="shape">The dimensions.</param>
    /// <param name="checksum">The checksum of a range that holds the elements, where there is one.</param>
    public MappedTensor(
        ShardMappings files, int file, long offset, string name, TensorDType dtype, TensorShape shape, Crc32Range? checksum = null)
        : base(name, dtype, shape)
    {
        (_files, _file, _offset, _checksum) = (files, file, offset, checksum);
        Size = checked(shape.ElementCount * dtype.ElementSize()!.Value);
    }

    public override long Size { get; }

    public override string File => _files.PathOf(_file);

    public override int? Shard => _file;

    public override long? Offset => _offset;

    public override bool IsInPlace => DType == TensorDType.Float32 && Size > 0 && MappedFile.IsAligned(_offset) && Shape.ElementCount <= int.MaxValue;

    public override bool HasChecksum => _checksum is not null;

    public override string GetFingerprint(CancellationToken cancellationToken) => _checksum is { } checksum
        ? FormattableString.Invariant($"{_offset - checksum.Offset} {checksum.Crc32:x8}")
        : FormattableString.Invariant($"{_offset} {_files.DigestOf(_file, cancellationToken)}");

    public override unsafe void Verify(CancellationToken cancellationToken = default)
    {
        const int ChunkLength = 16 * 1024 * 1024;
        if (_checksum is not { } checksum || (checksum.CheckedFor is { } other && other != this)) return;
        using var hold = new MappingHold(_files);
        MappedFile file = _files.Open(_file);
        uint crc = 0;
        for (long done = 0; done < checksum.Length; done += ChunkLength)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int length = (int)Math.Min(ChunkLength, checksum.Length - done);
            crc = Crc32.Append(crc, new ReadOnlySpan<byte>(file.Address(checksum.Offset + done, length), length));
        }

        file.ThrowIfChanged(); // a different error from a wrong checksum
        checksum.CheckedFor = crc == checksum.Crc32 ? this : null;
        if (checksum.CheckedFor is not null) return;
        throw new Gpt2Exception(
            Gpt2Error.ChecksumMismatch,
            $"Tensor '{Name}' in '{file.Path}' is damaged: its CRC-32 should be {checksum.Crc32:x8}, but its bytes give {crc:x8}; "
                + "copy or download the file again.",
            file.Path);
    }

    public override FileHole? FindHole()
    {
        if (HasChecksum || Shape.Rank < 2) return null;
        using var hold = new MappingHold(_files);
        int elementSize = DType.ElementSize()!.Value;
        return FileHole.In(_files.Open(_file), _offset, Size, Shape[Shape.Rank - 1] * elementSize, elementSize);
    }

    protected internal override StoredTensor PortionOf(long first, long count) =>
        new MappedTensor(_files, _file, _offset + (first * DType.ElementSize()!.Value), Name, DType, new TensorShape(count));

    public override ReadOnlyMemory<byte> GetBytes()
    {
        if (Size == 0) return ReadOnlyMemory<byte>.Empty;
        string path = _files.PathOf(_file);
        return Size <= Array.MaxLength
            ? new MappedMemory<byte>(_files, _files.Open(_file), _offset, (int)Size).Memory
            : throw new Gpt2Exception(
                Gpt2Error.Unsupported,
                $"Tensor '{Name}' of '{path}' takes {Size} bytes, more than can be read as one piece ({Array.MaxLength}).",
                path);
    }

    public override ReadOnlyMemory<float> GetFloats()
    {
        if (IsInPlace)
            return new MappedMemory<float>(_files, _files.Open(_file), _offset, (int)Shape.ElementCount).Memory;

        using var bytes = new HeldMemory<byte>(GetBytes());
        return bytes.IfUnchanged(TensorConversion.ToFloats(DType, bytes.Span));
    }
}

using System.Runtime.InteropServices;
using PicoGpt.Files;

namespace PicoGpt.Checkpoints.Gguf;

/// <summary>A tensor whose elements stand in a GGUF file in blocks of few bits; it is read as float32.</summary>
internal sealed class GgufTensor : StoredTensor
{
    private readonly ShardMappings _files;
    private readonly int _file;
    private readonly long _offset;
    private readonly GgmlFormat _format;

    /// <param name="files">What keeps the file mapped.</param>
    /// <param name="file">Which of its files.</param>
    /// <param name="offset">Where the blocks begin; all of them lie within the file.</param>
    /// <param name="name">The tensor's name.</param>
    /// <param name="format">A format of blocks.</param>
    /// <param name="shape">The dimensions, the last of which is a multiple of the block's length.</param>
    public GgufTensor(ShardMappings files, int file, long offset, string name, GgmlFormat format, TensorShape shape)
        : base(name, format.DType, shape) => (_files, _file, _offset, _format) = (files, file, offset, format);

    /// <summary>The bytes of the blocks.</summary>
    public override long Size => _format.SizeOf(Shape);

    public override string? File => _files.PathOf(_file);

    public override int? Shard => _file;

    public override string? Quantization => _format.Type.ToString();

    public override string GetFingerprint(CancellationToken cancellationToken) => FormattableString.Invariant($"{_format.Type} {_offset} {_files.DigestOf(_file, cancellationToken)}");

    /// <summary>The elements as float32.</summary>
    public override ReadOnlyMemory<byte> GetBytes() => MemoryMarshal.AsBytes(Decode().AsSpan()).ToArray();

    public override ReadOnlyMemory<float> GetFloats() => Decode();

    public override FileHole? FindHole()
    {
        if (Shape.Rank < 2) return null;
        using var hold = new MappingHold(_files);
        return FileHole.In(_files.Open(_file), _offset, Size, Shape[Shape.Rank - 1] / _format.BlockLength * _format.BlockSize, _format.BlockSize);
    }

    protected internal override StoredTensor PortionOf(long first, long count) =>
        new GgufTensor(_files, _file, _offset + (first / _format.BlockLength * _format.BlockSize), Name, _format, new TensorShape(count));

    private unsafe float[] Decode()
    {
        if (Shape.ElementCount > Array.MaxLength / sizeof(float))
        {
            string path = _files.PathOf(_file);
            throw new Gpt2Exception(
                Gpt2Error.Unsupported, $"Tensor '{Name}' {Shape} of '{path}' has more elements than can be read as one piece.", path);
        }

        float[] values = new float[Shape.ElementCount];
        using var hold = new MappingHold(_files);
        MappedFile file = _files.Open(_file);
        byte* blocks = file.Address(_offset, Size);
        for (int at = 0; at < values.Length; at += _format.BlockLength, blocks += _format.BlockSize)
            _format.Decode!(new ReadOnlySpan<byte>(blocks, _format.BlockSize), values.AsSpan(at, _format.BlockLength));
        file.ThrowIfChanged();
        return values;
    }
}

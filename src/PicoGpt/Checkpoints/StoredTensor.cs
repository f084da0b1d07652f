using PicoGpt.Files;

namespace PicoGpt.Checkpoints;

/// <summary>A tensor of a checkpoint of any format: its name, type and shape, and its elements when they are asked for.</summary>
/// <param name="name">The name, as the file has it.</param>
/// <param name="dtype">The element type.</param>
/// <param name="shape">The dimensions, outermost first.</param>
internal abstract class StoredTensor(string name, TensorDType dtype, TensorShape shape)
{
    public string Name { get; } = name;

    public TensorDType DType { get; } = dtype;

    public TensorShape Shape { get; } = shape;

    /// <summary>The bytes of the elements in the file.</summary>
    public abstract long Size { get; }

    /// <summary>The elements of a portion: a multiple of the length of every block of few bits, and of a segment of statistics.</summary>
    private const long PortionLength = 64 * 1024 * 1024;

    /// <summary>
    /// The file's name for the blocks of few bits that hold the elements, which are then read as float32, the <see cref="DType"/>;
    /// <see langword="null"/> where each element is a number of its own.
    /// </summary>
    public virtual string? Quantization => null;

    /// <summary>The full path of the file that holds the elements; <see langword="null"/> where they are in several, or in memory.</summary>
    public virtual string? File => null;

    /// <summary>The number of that file among the checkpoint's.</summary>
    public virtual int? Shard => null;

    /// <summary>Where the elements begin in that file, if they lie in it as they are.</summary>
    public virtual long? Offset => null;

    /// <summary>The CRC32C of the elements, where the format has it.</summary>
    public virtual uint? Crc32C => null;

    /// <summary>The parts that the elements are put together from, as TensorFlow writes them: <c>0,5:-</c>; usually none.</summary>
    public virtual IReadOnlyList<string> Slices => [];

    /// <summary>Whether <see cref="GetFloats"/> gives memory that is there already, the mapped file above all, and makes no array.</summary>
    public virtual bool IsInPlace => false;

    /// <summary>A text that changes with the elements: by their checksum, or, where the format has none, by the SHA-256 of the file.</summary>
    /// <param name="cancellationToken">Ends the reading.</param>
    public abstract string GetFingerprint(CancellationToken cancellationToken);

    /// <summary>Compares the elements with their checksum, where the format has one.</summary>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="Gpt2Exception">They are not what was written.</exception>
    public virtual void Verify(CancellationToken cancellationToken = default)
    {
    }

    /// <summary>Whether a checksum vouches for the elements, so that they are what was written.</summary>
    public virtual bool HasChecksum => false;

    /// <summary>A hole in a matrix that no checksum verifies; <see langword="null"/> where there is none.</summary>
    /// <exception cref="Gpt2Exception">The file cannot be read.</exception>
    public virtual FileHole? FindHole() => null;

    /// <summary>The bytes of the elements: little-endian, row-major, at any alignment; where it can be, the mapped file itself.</summary>
    /// <exception cref="Gpt2Exception">They cannot be read, or are more than an array can have.</exception>
    public abstract ReadOnlyMemory<byte> GetBytes();

    /// <summary>The elements as float32; where they are that and aligned in a mapped file, the file itself. For floating-point types.</summary>
    /// <exception cref="Gpt2Exception">They cannot be read.</exception>
    public abstract ReadOnlyMemory<float> GetFloats();

    /// <summary>
    /// The elements from first to last in tensors of one dimension, each of which can be read as one piece, however large the whole is; the
    /// tensor itself where it is small, or does not lie in its file in one piece.
    /// </summary>
    public IReadOnlyList<StoredTensor> Portions()
    {
        long count = Shape.ElementCount;
        if (count <= PortionLength) return [this];
        List<StoredTensor> portions = [];
        for (long first = 0; first < count; first += PortionLength)
        {
            if (PortionOf(first, Math.Min(PortionLength, count - first)) is not { } portion) return [this];
            portions.Add(portion);
        }

        return portions;
    }

    /// <summary>Some of the elements, without a checksum, where they lie in the file in one piece.</summary>
    /// <param name="first">The first.</param>
    /// <param name="count">How many.</param>
    /// <exception cref="Gpt2Exception">The file is missing or cut short.</exception>
    protected internal virtual StoredTensor? PortionOf(long first, long count) => null;

    /// <summary>The elements of a tensor of strings, which are bytes in no particular encoding.</summary>
    /// <exception cref="Gpt2Exception">They cannot be read.</exception>
    public virtual byte[][] GetStrings() => throw new NotSupportedException($"a tensor of {DType.DisplayName()} has no strings");
}

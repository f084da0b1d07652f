using System.Numerics;
using System.Numerics.Tensors;
using System.Text;
using PicoGpt.Checkpoints;
using PicoGpt.Files;

namespace PicoGpt.Weights;

/// <summary>
/// A tensor of any checkpoint as its files have it, whatever format they are of and whatever model it is of. Its data is read, and its
/// checksum verified where the format has one, when a value or a statistic is asked for.
/// </summary>
/// <remarks>
/// As a <see cref="FloatTensor"/> it has its elements as float32: integers and float64 are rounded, true is 1.
/// <see cref="GetValues"/> has them as they are.
/// </remarks>
public sealed class RawTensor : FloatTensor
{
    private readonly StoredTensor _tensor;
    private readonly Lazy<ReadOnlyMemory<float>> _floats;

    internal RawTensor(ITensorSource source, StoredTensor tensor)
    {
        _tensor = tensor;
        Checkpoint = source.Location;
        _floats = new Lazy<ReadOnlyMemory<float>>(ReadVerified);
    }

    /// <summary>The name, as the checkpoint has it.</summary>
    public override string Name => _tensor.Name;

    /// <summary>The element type.</summary>
    public TensorDType DType => _tensor.DType;

    /// <summary>
    /// The checkpoint's name for the blocks of few bits in which the elements stand, such as <c>Q4_K</c>; <see langword="null"/> where each is a
    /// number of its own. They are read as float32 then.
    /// </summary>
    public string? Quantization => _tensor.Quantization;

    /// <summary>The dimensions, outermost first; a scalar has none.</summary>
    public IReadOnlyList<long> Shape => _tensor.Shape.Dimensions;

    /// <summary>The number of elements.</summary>
    public long Count => _tensor.Shape.ElementCount;

    /// <summary>Bytes in the data files; of a compressed tensor, the bytes that it becomes.</summary>
    public long Size => _tensor.Size;

    /// <summary>The number of the data file, from 0; <see langword="null"/> for a partitioned tensor.</summary>
    public int? Shard => _tensor.Shard;

    /// <summary>The data file, which need not be there; <see langword="null"/> for a partitioned tensor.</summary>
    public string? File => _tensor.File;

    /// <summary>Where the data begins in its file, in bytes; <see langword="null"/> for a partitioned tensor, and a compressed one.</summary>
    public long? Offset => _tensor.Offset;

    /// <summary>The CRC32C of the data; <see langword="null"/> for a partitioned tensor, whose parts have one each, and where the format has none.</summary>
    public uint? Crc32C => _tensor.Crc32C;

    /// <summary>The parts of a partitioned tensor, as TensorFlow writes them: <c>0,5:-</c>; none of any other.</summary>
    public IReadOnlyList<string> Slices => _tensor.Slices;

    /// <summary>The checkpoint's file, or the path that the names of its files begin with.</summary>
    public string Checkpoint { get; }

    internal override TensorLayout Layout => field ??= TensorLayout.RowMajor(Name, Shape);

    internal override ReadOnlyMemory<float> Memory => _floats.Value;

    private protected override IEnumerable<(ReadOnlyMemory<float> Memory, TensorLayout Layout)> Portions =>
        _tensor.Portions() is { Count: > 1 } portions ? VerifiedPortions(portions) : base.Portions;

    /// <summary>The elements as they are, row-major.</summary>
    /// <returns>
    /// An array of the tensor's own type; bfloat16 as float32, text as strings, in which bytes that are not UTF-8 are replaced.
    /// </returns>
    /// <exception cref="Gpt2Exception">
    /// The type is not one that can be read, the data is missing or cut short, or its checksum is not what it should be.
    /// </exception>
    public Array GetValues()
    {
        _tensor.Verify();
        return DType switch
        {
            TensorDType.String => _tensor.GetStrings().Select(Encoding.UTF8.GetString).ToArray(),
            TensorDType.BFloat16 => _tensor.GetFloats().ToArray(),
            TensorDType.Float16 => ToArray<Half>(_tensor),
            TensorDType.Float32 => ToArray<float>(_tensor),
            TensorDType.Float64 => ToArray<double>(_tensor),
            TensorDType.Int8 => ToArray<sbyte>(_tensor),
            TensorDType.Int16 => ToArray<short>(_tensor),
            TensorDType.Int32 => ToArray<int>(_tensor),
            TensorDType.Int64 => ToArray<long>(_tensor),
            TensorDType.UInt8 => ToArray<byte>(_tensor),
            TensorDType.UInt16 => ToArray<ushort>(_tensor),
            TensorDType.UInt32 => ToArray<uint>(_tensor),
            TensorDType.UInt64 => ToArray<ulong>(_tensor),
            TensorDType.Bool => ToArray<bool>(_tensor),
            _ => throw Unreadable("has no values that can be read"),
        };
    }

    /// <summary>A copy of the bytes as the checkpoint has them: little-endian, row-major.</summary>
    /// <returns><see cref="Size"/> bytes.</returns>
    /// <exception cref="Gpt2Exception">The data is missing or cut short.</exception>
    public byte[] GetBytes() => ToArray<byte>(_tensor);

    private IEnumerable<(ReadOnlyMemory<float> Memory, TensorLayout Layout)> VerifiedPortions(IEnumerable<StoredTensor> portions)
    {
        _tensor.Verify();
        return portions.Select(portion => (FloatsOf(portion), TensorLayout.RowMajor(Name, portion.Shape.Dimensions)));
    }

    private ReadOnlyMemory<float> ReadVerified()
    {
        _tensor.Verify();
        return FloatsOf(_tensor);
    }

    private ReadOnlyMemory<float> FloatsOf(StoredTensor tensor)
    {
        if (DType.IsFloat()) return tensor.GetFloats();
        return DType switch
        {
            TensorDType.Int8 => ToFloats<sbyte>(tensor),
            TensorDType.Int16 => ToFloats<short>(tensor),
            TensorDType.Int32 => ToFloats<int>(tensor),
            TensorDType.Int64 => ToFloats<long>(tensor),
            TensorDType.UInt8 => ToFloats<byte>(tensor),
            TensorDType.UInt16 => ToFloats<ushort>(tensor),
            TensorDType.UInt32 => ToFloats<uint>(tensor),
            TensorDType.UInt64 => ToFloats<ulong>(tensor),
            TensorDType.Bool => ToArray<bool>(tensor).Select(value => value ? 1f : 0f).ToArray(),
            TensorDType.String => throw Unreadable("has text, and no numbers; GetValues() gives it"),
            _ => throw Unreadable("has no values that can be read"),
        };
    }

    private static T[] ToArray<T>(StoredTensor tensor)
        where T : unmanaged
    {
        using var bytes = new HeldMemory<byte>(tensor.GetBytes());
        return bytes.IfUnchanged(TensorConversion.ToArray<T>(bytes.Span));
    }

    private static float[] ToFloats<T>(StoredTensor tensor)
        where T : unmanaged, INumberBase<T>
    {
        T[] values = ToArray<T>(tensor);
        float[] floats = new float[values.Length];
        TensorPrimitives.ConvertTruncating<T, float>(values, floats);
        return floats;
    }

    private Gpt2Exception Unreadable(string why) => new(
        Gpt2Error.Unsupported, $"Tensor '{Name}' of '{Checkpoint}' is {DType.DisplayName()} and {why}.", Checkpoint);
}

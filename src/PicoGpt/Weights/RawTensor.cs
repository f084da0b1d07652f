using System.Numerics;
using System.Numerics.Tensors;
using System.Text;
using PicoGpt.Checkpoints;
using PicoGpt.Checkpoints.TensorFlow;

namespace PicoGpt.Weights;

/// <summary>
/// A tensor of any TensorFlow checkpoint as its index lists it, whatever model it is of. Its data is read, and its checksum verified,
/// when a value or a statistic is asked for.
/// </summary>
/// <remarks>
/// As a <see cref="FloatTensor"/> it has its elements as float32: integers and float64 are rounded, true is 1.
/// <see cref="GetValues"/> has them as they are.
/// </remarks>
public sealed class RawTensor : FloatTensor
{
    private readonly TensorBundle _bundle;
    private readonly TensorEntry _entry;
    private readonly Lazy<ReadOnlyMemory<float>> _floats;

    internal RawTensor(TensorBundle bundle, TensorEntry entry)
    {
        _bundle = bundle;
        _entry = entry;
        _floats = new Lazy<ReadOnlyMemory<float>>(ReadFloats);
    }

    /// <summary>The name, as the checkpoint has it.</summary>
    public override string Name => _entry.Name;

    /// <summary>The element type.</summary>
    public TensorDType DType => _entry.DType;

    /// <summary>The dimensions, outermost first; a scalar has none.</summary>
    public IReadOnlyList<long> Shape => _entry.Shape.Dimensions;

    /// <summary>The number of elements.</summary>
    public long Count => _entry.Shape.ElementCount;

    /// <summary>Bytes in the data files.</summary>
    public long Size => _entry.Size;

    /// <summary>The number of the data file, from 0; <see langword="null"/> for a partitioned tensor.</summary>
    public int? Shard => _entry.IsPartitioned ? null : _entry.ShardId;

    /// <summary>The data file, which need not be there; <see langword="null"/> for a partitioned tensor.</summary>
    public string? File => _entry.IsPartitioned ? null : _bundle.GetShardPath(_entry.ShardId);

    /// <summary>Where the data begins in its file, in bytes; <see langword="null"/> for a partitioned tensor.</summary>
    public long? Offset => _entry.IsPartitioned ? null : _entry.Offset;

    /// <summary>The CRC32C of the data; <see langword="null"/> for a partitioned tensor, whose parts have one each.</summary>
    public uint? Crc32C => _entry.IsPartitioned ? null : _entry.Crc32C;

    /// <summary>The parts of a partitioned tensor, as TensorFlow writes them: <c>0,5:-</c>; none of any other.</summary>
    public IReadOnlyList<string> Slices => Array.ConvertAll([.. _entry.Slices], slice => slice.ToString());

    /// <summary>The path that the names of the checkpoint's files begin with.</summary>
    public string Checkpoint => _bundle.Prefix;

    internal override TensorLayout Layout => field ??= TensorLayout.RowMajor(Name, Shape);

    internal override ReadOnlyMemory<float> Memory => _floats.Value;

    /// <summary>The elements as they are, row-major.</summary>
    /// <returns>
    /// An array of the tensor's own type; bfloat16 as float32, text as strings, in which bytes that are no UTF-8 are replaced.
    /// </returns>
    /// <exception cref="Gpt2Exception">
    /// The type is not one that can be read, the data is missing or cut short, or its checksum is not that of the index.
    /// </exception>
    public Array GetValues()
    {
        using IDisposable hold = _bundle.Hold();
        _bundle.Verify(_entry);
        return DType switch
        {
            TensorDType.String => _bundle.ReadStrings(_entry).Select(Encoding.UTF8.GetString).ToArray(),
            TensorDType.BFloat16 => _bundle.GetFloats(_entry).ToArray(),
            TensorDType.Float16 => _bundle.ReadArray<Half>(_entry),
            TensorDType.Float32 => _bundle.ReadArray<float>(_entry),
            TensorDType.Float64 => _bundle.ReadArray<double>(_entry),
            TensorDType.Int8 => _bundle.ReadArray<sbyte>(_entry),
            TensorDType.Int16 => _bundle.ReadArray<short>(_entry),
            TensorDType.Int32 => _bundle.ReadArray<int>(_entry),
            TensorDType.Int64 => _bundle.ReadArray<long>(_entry),
            TensorDType.UInt8 => _bundle.ReadArray<byte>(_entry),
            TensorDType.UInt16 => _bundle.ReadArray<ushort>(_entry),
            TensorDType.UInt32 => _bundle.ReadArray<uint>(_entry),
            TensorDType.UInt64 => _bundle.ReadArray<ulong>(_entry),
            TensorDType.Bool => _bundle.ReadArray<bool>(_entry),
            _ => throw Unreadable("has no values that can be read"),
        };
    }

    /// <summary>A copy of the bytes as the checkpoint has them: little-endian, row-major.</summary>
    /// <returns><see cref="Size"/> bytes.</returns>
    /// <exception cref="Gpt2Exception">The data is missing or cut short.</exception>
    public byte[] GetBytes()
    {
        using IDisposable hold = _bundle.Hold();
        return _bundle.GetBytes(_entry).ToArray();
    }

    private ReadOnlyMemory<float> ReadFloats()
    {
        using IDisposable hold = _bundle.Hold();
        _bundle.Verify(_entry);
        return DType switch
        {
            TensorDType.Float32 or TensorDType.Float16 or TensorDType.BFloat16 or TensorDType.Float64 => _bundle.GetFloats(_entry),
            TensorDType.Int8 => ToFloats<sbyte>(),
            TensorDType.Int16 => ToFloats<short>(),
            TensorDType.Int32 => ToFloats<int>(),
            TensorDType.Int64 => ToFloats<long>(),
            TensorDType.UInt8 => ToFloats<byte>(),
            TensorDType.UInt16 => ToFloats<ushort>(),
            TensorDType.UInt32 => ToFloats<uint>(),
            TensorDType.UInt64 => ToFloats<ulong>(),
            TensorDType.Bool => _bundle.ReadArray<bool>(_entry).Select(value => value ? 1f : 0f).ToArray(),
            TensorDType.String => throw Unreadable("has text, and no numbers; GetValues() gives it"),
            _ => throw Unreadable("has no values that can be read"),
        };
    }

    private float[] ToFloats<T>()
        where T : unmanaged, INumberBase<T>
    {
        T[] values = _bundle.ReadArray<T>(_entry);
        float[] floats = new float[values.Length];
        TensorPrimitives.ConvertTruncating<T, float>(values, floats);
        return floats;
    }

    private Gpt2Exception Unreadable(string why) => new(
        Gpt2Error.Unsupported, $"Tensor '{Name}' of '{_bundle.Prefix}' is {DType.DisplayName()} and {why}.", _bundle.Prefix);
}

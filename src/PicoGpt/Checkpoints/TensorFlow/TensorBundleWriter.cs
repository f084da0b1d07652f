using System.Runtime.InteropServices;
using System.Text;
using PicoGpt.Files;

namespace PicoGpt.Checkpoints.TensorFlow;

/// <summary>
/// Writes a TensorFlow V2 checkpoint by the rules of TensorFlow's own BundleWriter. Data goes to disk as it is added, under
/// temporary names; <see cref="Finish"/> gives all files their names. Without it, nothing remains.
/// </summary>
/// <remarks>Faults of the disk throw <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/>.</remarks>
public sealed class TensorBundleWriter : ITensorWriter
{
    private const int MaxNameBytes = 4096;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly string _prefix;
    private readonly TensorBundleWriterOptions _options;
    private readonly List<OutputFile> _files = []; // the shards come first
    private readonly Dictionary<string, TensorEntry> _tensors = new(StringComparer.Ordinal);
    private readonly List<(byte[] Key, byte[] Value)> _slices = [];
    private bool _isComplete;
    private bool _isFinished;

    /// <summary>Starts a checkpoint; its folder is created where it is missing.</summary>
    /// <param name="prefix">What the files' names begin with: <c>folder/model.ckpt</c>.</param>
    /// <param name="options">The layout; TensorFlow 1's where left out.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number of the options is out of its range.</exception>
    public TensorBundleWriter(string prefix, TensorBundleWriterOptions? options = null)
        : this(prefix, options, meter: null)
    {
    }

    internal TensorBundleWriter(string prefix, TensorBundleWriterOptions? options, WriteMeter? meter)
    {
        ArgumentException.ThrowIfNullOrEmpty(prefix);
        _options = options ?? new TensorBundleWriterOptions();
        ArgumentOutOfRangeException.ThrowIfNotEqual(_options.ShardCount, Math.Clamp(_options.ShardCount, 1, BundleHeader.MaxShardCount));
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.BlockSize, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.RestartInterval, 1);

        _prefix = Path.GetFullPath(prefix);
        Directory.CreateDirectory(Path.GetDirectoryName(_prefix)!);
        try
        {
            for (int shard = 0; shard < _options.ShardCount; shard++)
                _files.Add(new OutputFile(ShardName.Of(_prefix, shard, _options.ShardCount), meter));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Adds a tensor.</summary>
    /// <param name="name">Its name, unlike that of any other.</param>
    /// <param name="dtype">Its element type, any but string.</param>
    /// <param name="shape">Its dimensions.</param>
    /// <param name="data">Its bytes: little-endian, row-major.</param>
    /// <param name="shard">The data file for it, from 0.</param>
    public void Add(string name, TensorDType dtype, TensorShape shape, ReadOnlySpan<byte> data, int shard = 0)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ThrowIfUnusable(name);
        ThrowIfWrongSize(dtype, shape, data.Length);
        _tensors.Add(name, Append(name, dtype, shape, data, Crc32C.Compute(data), shard));
    }

    void ITensorWriter.Add(string name, TensorDType dtype, TensorShape shape, ReadOnlySpan<byte> data) => Add(name, dtype, shape, data);

    /// <summary>Adds a float32 tensor, row-major.</summary>
    /// <inheritdoc cref="Add"/>
    public void AddFloats(string name, TensorShape shape, ReadOnlySpan<float> data, int shard = 0) =>
        Add(name, TensorDType.Float32, shape, MemoryMarshal.AsBytes(data), shard);

    /// <summary>Adds a string tensor, row-major.</summary>
    /// <inheritdoc cref="Add"/>
    public void AddStrings(string name, TensorShape shape, IReadOnlyList<byte[]> data, int shard = 0)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(data);
        ThrowIfUnusable(name);
        if (shape.ElementCount != data.Count)
            throw new ArgumentException($"the shape {shape} does not have {data.Count} elements", nameof(data));

        byte[] bytes = StringTensor.Encode(data, out uint crc);
        _tensors.Add(name, Append(name, TensorDType.String, shape, bytes, crc, shard));
    }

    /// <summary>
    /// Adds a slice of a partitioned tensor. The slices of one tensor are added one by one, in any order; together they must
    /// cover it exactly.
    /// </summary>
    /// <param name="name">The tensor's name.</param>
    /// <param name="dtype">Its element type, any but string; the same for all slices.</param>
    /// <param name="wholeShape">The dimensions of the whole tensor; the same for all slices.</param>
    /// <param name="slice">Which part this is.</param>
    /// <param name="data">The bytes of the slice: little-endian, row-major.</param>
    /// <param name="shard">The data file for this slice, from 0.</param>
    public void AddSlice(
        string name, TensorDType dtype, TensorShape wholeShape, TensorSlice slice, ReadOnlySpan<byte> data, int shard = 0)
    {
        ArgumentNullException.ThrowIfNull(wholeShape);
        ArgumentNullException.ThrowIfNull(slice);
        bool isFirst = !_tensors.TryGetValue(name, out TensorEntry? whole);
        if (isFirst)
            ThrowIfUnusable(name);
        else if (whole!.DType != dtype || whole.Shape != wholeShape || !whole.IsPartitioned)
            throw new ArgumentException($"tensor '{name}' was begun with another type or shape", nameof(name));
        else if (whole.Slices.Any(other => other.Extents.SequenceEqual(slice.Extents)))
            throw new ArgumentException($"the slice {slice} was already added", nameof(slice));
        if (!slice.TryShapeWithin(wholeShape, out TensorShape shape))
            throw new ArgumentException($"the slice {slice} does not lie within {wholeShape}", nameof(slice));

        ThrowIfWrongSize(dtype, shape, data.Length);
        TensorEntry piece = Append(name, dtype, shape, data, Crc32C.Compute(data), shard);
        _slices.Add((OrderedCode.SliceKey(StrictUtf8.GetBytes(name), slice), BundleEntryCodec.Encode(piece)));
        _tensors[name] = new TensorEntry(name, dtype, wholeShape, 0, 0, 0, 0, [.. whole?.Slices ?? [], slice]);
    }

    /// <summary>Writes the index and gives all files their names; an older checkpoint of that prefix is replaced.</summary>
    /// <exception cref="InvalidOperationException">The slices of a tensor do not cover it.</exception>
    /// <exception cref="Gpt2Exception">
    /// <see cref="Gpt2Error.InUse"/> or <see cref="Gpt2Error.Unwritable"/>: a file of the older checkpoint is open, or marked as read-only; that
    /// checkpoint is as it was.
    /// </exception>
    public void Finish()
    {
        ObjectDisposedException.ThrowIf(_isFinished, this);
        if (!_isComplete) Complete();
        Publication.Of(_files);
        _isFinished = true;
    }

    void ITensorWriter.Complete() => Complete();

    IReadOnlyList<OutputFile> ITensorWriter.Files => _files;

    /// <summary>Deletes what was written, unless <see cref="Finish"/> was called.</summary>
    public void Dispose()
    {
        _isFinished = true;
        foreach (OutputFile file in _files) file.Dispose();
    }

    // All that the disk may have no room for, before a file gets its name.
    private void Complete()
    {
        CheckSlices();
        _files.Add(new OutputFile(BundlePath.IndexFile(_prefix)));
        WriteIndex(_files[^1].Stream);
        if (_options.WriteCheckpointFile)
        {
            _files.Add(new OutputFile(Path.Combine(Path.GetDirectoryName(_prefix)!, CheckpointState.FileName)));
            _files[^1].Stream.Write(Encoding.UTF8.GetBytes(CheckpointState.Format(Path.GetFileName(_prefix))));
        }

        foreach (OutputFile file in _files) file.Complete();
        _isComplete = true;
    }

    private TensorEntry Append(string name, TensorDType dtype, TensorShape shape, ReadOnlySpan<byte> data, uint crc, int shard)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(shard);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(shard, _options.ShardCount);
        long offset = _files[shard].Stream.Position;
        _files[shard].Write(data);
        return new TensorEntry(name, dtype, shape, shard, offset, data.Length, Crc32C.Mask(crc), []);
    }

    private void WriteIndex(FileStream file)
    {
        List<(byte[] Key, byte[] Value)> entries =
        [
            ([], new BundleHeader(_options.ShardCount, IsBigEndian: false, MinimumConsumer: 0).Encode()),
            .. _tensors.Values.Select(entry => (StrictUtf8.GetBytes(entry.Name), BundleEntryCodec.Encode(entry))),
            .. _slices,
        ];
        entries.Sort((a, b) => a.Key.AsSpan().SequenceCompareTo(b.Key));

        var table = new SortedTableWriter(file, _options);
        foreach ((byte[] key, byte[] value) in entries)
            table.Add(key, value);
        table.Finish();
    }

    private void CheckSlices()
    {
        try
        {
            foreach (TensorEntry entry in _tensors.Values.Where(entry => entry.IsPartitioned))
                SliceAssembly.CheckCover(entry);
        }
        catch (InvalidDataException fault)
        {
            throw new InvalidOperationException(fault.Message, fault);
        }
    }

    private void ThrowIfUnusable(string name)
    {
        ObjectDisposedException.ThrowIf(_isFinished, this);
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (name[0] == OrderedCode.SliceKeyMark || StrictUtf8.GetByteCount(name) > MaxNameBytes)
            throw new ArgumentException("a name begins with a null character, or is too long", nameof(name));
        if (_tensors.ContainsKey(name)) throw new ArgumentException($"tensor '{name}' was already added", nameof(name));
    }

    private static void ThrowIfWrongSize(TensorDType dtype, TensorShape shape, int size)
    {
        if (dtype.ElementSize() is not int elementSize)
            throw new ArgumentException($"{dtype.DisplayName()} has no elements of a fixed size", nameof(dtype));
        if (size % elementSize != 0 || size / elementSize != shape.ElementCount)
            throw new ArgumentException($"{shape} of {dtype.DisplayName()} does not take {size} bytes", nameof(size));
    }
}

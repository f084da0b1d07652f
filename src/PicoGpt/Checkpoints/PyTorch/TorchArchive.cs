using PicoGpt.Files;
using Items = System.Collections.Generic.List<System.Collections.Generic.KeyValuePair<object?, object?>>;

namespace PicoGpt.Checkpoints.PyTorch;

/// <summary>
/// Reads what PyTorch's <c>torch.save</c> writes of a state dictionary since version 1.6: a ZIP archive with a pickle, which names the
/// tensors, and a file for each storage (torch/serialization.py, torch/_utils.py). Nothing in it is run.
/// </summary>
internal static class TorchArchive
{
    /// <summary>What the path of the pickle in an archive ends in.</summary>
    public const string PickleName = "/data.pkl";
    private const int LongestPickle = 1024 * 1024;
    private const int MostDimensions = 8;
    private const int LongestQuote = 60;

    private static readonly PickleGlobal Dictionary = new("collections", "OrderedDict");
    private static readonly PickleGlobal RebuildTensor = new("torch._utils", "_rebuild_tensor_v2");
    private static readonly PickleGlobal RebuildParameter = new("torch._utils", "_rebuild_parameter");
    private static readonly PickleGlobal[] Callable = [Dictionary, RebuildTensor, RebuildParameter];

    private static readonly (string Name, TensorDType DType)[] Storages =
    [
        ("FloatStorage", TensorDType.Float32), ("HalfStorage", TensorDType.Float16), ("BFloat16Storage", TensorDType.BFloat16),
        ("DoubleStorage", TensorDType.Float64), ("LongStorage", TensorDType.Int64), ("IntStorage", TensorDType.Int32),
        ("ShortStorage", TensorDType.Int16), ("CharStorage", TensorDType.Int8), ("ByteStorage", TensorDType.UInt8),
        ("BoolStorage", TensorDType.Bool),
    ];

    // The number 0x1950a86a20f9469cfc6c as a pickle, with which files of older versions begin.
    private static ReadOnlySpan<byte> OldFormat => [0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19];

    /// <summary>Whether a file begins as PyTorch wrote it before version 1.6.</summary>
    public static bool IsOldFormat(ReadOnlySpan<byte> start) => start.StartsWith(OldFormat);

    /// <summary>Lists the tensors of one mapped file.</summary>
    /// <exception cref="Gpt2Exception">It is damaged, of another format, or more than tensors by name.</exception>
    public static IEnumerable<StoredTensor> ListTensors(ShardMappings files, int number)
    {
        MappedFile file = files.Open(number);
        try
        {
            return ListArchive(files, number, file);
        }
        catch (NotSupportedException fault)
        {
            throw new Gpt2Exception(
                Gpt2Error.Unsupported,
                $"'{file.Path}' is not read, and nothing in it was run: {fault.Message}; "
                    + "if you trust the file, load it in PyTorch and save its state dictionary as safetensors.",
                file.Path,
                fault);
        }
        catch (InvalidDataException fault)
        {
            ForeignFile.ThrowIfForeign(file.Path);
            string message = $"'{file.Path}' is no whole file of PyTorch's: {fault.Message}; copy or download it again.";
            throw new Gpt2Exception(Gpt2Error.NotAFormat, message, file.Path, fault);
        }
    }

    private static unsafe StoredTensor[] ListArchive(ShardMappings files, int number, MappedFile file)
    {
        int start = (int)Math.Min(file.Length, OldFormat.Length);
        if (start > 0 && IsOldFormat(new ReadOnlySpan<byte>(file.Address(0, start), start)))
            throw new NotSupportedException("it is of the format that PyTorch wrote before version 1.6");

        IReadOnlyList<ZipEntry> entries = Zip.ReadDirectory(file);
        ZipEntry[] pickles = [.. entries.Where(entry => entry.Name.EndsWith(PickleName, StringComparison.Ordinal))];
        if (pickles is not [ZipEntry pickle]) throw new InvalidDataException($"it has {pickles.Length} files {PickleName[1..]}");
        string folder = pickle.Name[..^(PickleName.Length - 1)];
        ZipEntry? order = entries.FirstOrDefault(entry => entry.Name == folder + "byteorder");
        if (order is not null && !ContentOf(file, order).SequenceEqual("little"u8))
            throw new NotSupportedException("its numbers are big-endian");

        string dataFolder = folder + "data/";
        var storages = new Dictionary<string, ZipEntry>(StringComparer.Ordinal);
        foreach (ZipEntry entry in entries.Where(entry => entry.Name.StartsWith(dataFolder, StringComparison.Ordinal)))
        {
            if (!storages.TryAdd(entry.Name[dataFolder.Length..], entry)) throw new InvalidDataException($"it has '{entry.Name}' twice");
        }

        return [.. ReadPickle(ContentOf(file, pickle)).Select(named => Check(files, number, storages, named.Name, named.Tensor))];
    }

    private static unsafe byte[] ContentOf(MappedFile file, ZipEntry entry)
    {
        if (entry.Size > LongestPickle)
            throw new InvalidDataException($"its '{entry.Name}' has {entry.Size} bytes, where {LongestPickle} are the most expected");
        byte[] content = entry.IsDeflated
            ? Zip.Inflate(file, entry)
            : new ReadOnlySpan<byte>(file.Address(entry.DataOffset, entry.Size), (int)entry.Size).ToArray();
        uint crc = Crc32.Compute(content);
        if (crc != entry.Crc32) throw new InvalidDataException($"the CRC-32 of '{entry.Name}' should be {entry.Crc32:x8}, but is {crc:x8}");
        return content;
    }

    private static IEnumerable<(string Name, TorchTensor Tensor)> ReadPickle(byte[] pickle)
    {
        object? content = new PickleReader(pickle, Find, Call, Load).Read();
        if (content is not Items items) throw new NotSupportedException("it holds no dictionary of tensors");
        foreach ((object? key, object? value) in items)
        {
            if (key is not string name) throw new NotSupportedException("it has an item without a name");
            if (value is Items) throw new NotSupportedException($"its item '{Shorten(name)}' is a dictionary, no tensor");
            if (value is not TorchTensor tensor) throw new NotSupportedException($"its item '{Shorten(name)}' is no tensor");
            yield return (name, tensor);
        }
    }

    private static object Find(string module, string name)
    {
        if (module is "torch" or "torch.cuda" && DTypeOf(name) is not TensorDType.None and TensorDType dtype) return dtype;
        return Array.Find(Callable, known => known.Module == module && known.Name == name)
            ?? throw new NotSupportedException($"it asks for '{Shorten(module)}.{Shorten(name)}'");
    }

    private static TensorDType DTypeOf(string storage) => Array.Find(Storages, known => known.Name == storage).DType;

    private static object? Call(object? callee, object?[] arguments)
    {
        if (callee as PickleGlobal == Dictionary && arguments.Length == 0) return new Items();
        if (callee as PickleGlobal == RebuildParameter && arguments is [TorchTensor parameter, ..]) return parameter;
        if (callee as PickleGlobal == RebuildTensor && arguments is [TorchStorage data, long offset, object?[] shape, object?[] strides, ..])
            return new TorchTensor(data, offset, Numbers(shape), Numbers(strides));
        throw new InvalidDataException("a tensor is not described as it should be");
    }

    private static TorchStorage Load(object? id) => id is object?[] and ["storage", TensorDType dtype, string key, string, long count]
        ? new TorchStorage(dtype, key, count)
        : throw new InvalidDataException("a storage is not described as it should be");

    // A pickle names one tuple as often as it likes: without a limit, a small file could ask for any amount of memory.
    private static long[] Numbers(object?[] tuple)
    {
        if (tuple.Length > MostDimensions) throw new InvalidDataException($"a tensor has {tuple.Length} dimensions");
        return [.. tuple.Select(item => item is long and >= 0 ? (long)item : throw new InvalidDataException("a dimension is no number"))];
    }

    private static MappedTensor Check(
        ShardMappings files, int number, Dictionary<string, ZipEntry> storages, string name, TorchTensor tensor)
    {
        (TensorDType dtype, string key, long most) = tensor.Storage;
        int elementSize = dtype.ElementSize()!.Value;
        if (!storages.TryGetValue(key, out ZipEntry? entry)) throw new InvalidDataException($"the data of tensor '{name}' is missing");
        if (entry.IsDeflated) throw new NotSupportedException($"the data of its tensor '{name}' is compressed");
        if ((Int128)most * elementSize != entry.Size)
        {
            throw new InvalidDataException(
                $"the data of tensor '{name}' should be {most} elements of {dtype.DisplayName()}, but has {entry.Size} bytes");
        }

        if (tensor.Shape.Length != tensor.Strides.Length || !TensorShape.TryCountElements(tensor.Shape, out long count))
            throw new InvalidDataException($"tensor '{name}' has dimensions that make no sense");
        if (tensor.Offset < 0 || tensor.Offset > most || count > most - tensor.Offset)
            throw new InvalidDataException($"tensor '{name}' reaches beyond its data");
        if (count > 0 && !tensor.IsContiguous)
            throw new NotSupportedException($"its tensor '{name}' is a view with strides, not contiguous");
        long offset = entry.DataOffset + (tensor.Offset * elementSize);
        return new MappedTensor(files, number, offset, name, dtype, new TensorShape(tensor.Shape), entry.Checksum);
    }

    private static string Shorten(string name) => name.Length <= LongestQuote ? name : name[..LongestQuote] + "…";
}

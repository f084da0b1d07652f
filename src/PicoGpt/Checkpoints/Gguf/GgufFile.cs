using PicoGpt.Files;

namespace PicoGpt.Checkpoints.Gguf;

/// <summary>
/// The format of ggml's programs, among them llama.cpp, Ollama and LM Studio: a header, metadata by keys, the list of the tensors, and their
/// data (docs/gguf.md of ggml). Dimensions stand in the reverse order, the innermost first.
/// </summary>
internal static class GgufFile
{
    /// <summary>The version that is written.</summary>
    public const uint Version = 3;

    /// <summary>The bytes to a multiple of which data is moved where the file does not say.</summary>
    public const int DefaultAlignment = 32;

    public const string ArchitectureKey = "general.architecture";
    public const string AlignmentKey = "general.alignment";

    private const uint OldVersion = 2;
    private const int MaxAlignment = 1 << 20;
    private const int MaxDimensions = 4; // GGML_MAX_DIMS
    private const string SplitKey = "split.count";

    // The least that each takes: a name's length, a type and a byte; and a name's length, the number of dimensions, a type and an offset.
    private const int MinKeyLength = 13, MinTensorLength = 24;

    /// <summary>The first bytes of every file.</summary>
    public static ReadOnlySpan<byte> Magic => "GGUF"u8;

    /// <summary>Reads the header of a mapped file.</summary>
    /// <returns>The metadata and the tensors.</returns>
    /// <exception cref="Gpt2Exception">The file is damaged, of another format, or of a kind that is not read.</exception>
    public static (GgufMetadata Metadata, StoredTensor[] Tensors) Read(ShardMappings files, int number, CancellationToken cancellationToken)
    {
        MappedFile file = files.Open(number);
        try
        {
            return ReadHeader(files, number, file, cancellationToken);
        }
        catch (NotSupportedException fault)
        {
            throw new Gpt2Exception(Gpt2Error.Unsupported, $"'{file.Path}' is a GGUF file that is not read: {fault.Message}.", file.Path, fault);
        }
        catch (Exception fault) when (fault is InvalidDataException or EndOfStreamException)
        {
            ForeignWeights.ThrowIfForeign(file.Path);
            throw new Gpt2Exception(
                fault is EndOfStreamException ? Gpt2Error.Truncated : Gpt2Error.NotAFormat,
                $"'{file.Path}' is not a whole GGUF file: {fault.Message}; copy or download it again.",
                file.Path,
                fault);
        }
    }

    /// <summary>The next multiple of the alignment.</summary>
    public static long Align(long position, long alignment) => checked(position + alignment - 1) / alignment * alignment;

    private static (GgufMetadata Metadata, StoredTensor[] Tensors) ReadHeader(
        ShardMappings files, int number, MappedFile file, CancellationToken cancellationToken)
    {
        var cursor = new GgufCursor(file, 0, cancellationToken);
        if (file.Length < Magic.Length || !cursor.Take(Magic.Length).SequenceEqual(Magic)) throw new InvalidDataException("it does not begin with GGUF");
        CheckVersion(cursor.UInt32());
        long tensors = cursor.Count("tensors", MinTensorLength), keys = cursor.Count("keys", MinKeyLength);
        var metadata = GgufMetadata.Read(files, number, cursor, keys);
        if (metadata.Number(SplitKey) is { } parts and > 1)
            throw new NotSupportedException($"it is one of {parts} files of a model; join them with llama.cpp's llama-gguf-split --merge");

        long alignment = metadata.Number(AlignmentKey) ?? DefaultAlignment;
        if (alignment is < 1 or > MaxAlignment || alignment % 8 != 0) throw new InvalidDataException($"its alignment is {alignment}");
        var list = new (string Name, GgmlType Type, long[] Shape, ulong Offset)[tensors];
        for (int i = 0; i < list.Length; i++) list[i] = ReadTensor(cursor);
        long data = Align(cursor.Position, alignment);
        StoredTensor[] stored = [.. list.Select(tensor => Tensor(files, number, data, alignment, tensor))];
        RequireDisjoint([.. list.Zip(stored, (listed, tensor) => (listed.Offset, tensor))]);
        return (metadata, stored);
    }

    // There are no checksums: a tensor that is listed at the place of another would be read without a word.
    private static void RequireDisjoint((ulong Offset, StoredTensor Tensor)[] placed)
    {
        Array.Sort(placed, (a, b) => (a.Offset, a.Tensor.Size).CompareTo((b.Offset, b.Tensor.Size)));
        for (int i = 1; i < placed.Length; i++)
        {
            (ulong start, StoredTensor before) = placed[i - 1];
            if (start + (ulong)before.Size > placed[i].Offset)
                throw new InvalidDataException($"its tensors '{before.Name}' and '{placed[i].Tensor.Name}' share bytes of the data from {placed[i].Offset} on");
        }
    }

    private static void CheckVersion(uint version)
    {
        if (version is OldVersion or Version) return;
        if ((version & 0xFFFF) == 0 && version != 0) throw new NotSupportedException("its numbers are big-endian; convert the model on a little-endian machine");
        throw new NotSupportedException($"it is of version {version}, where {OldVersion} and {Version} are known; convert the model with a newer llama.cpp");
    }

    private static (string Name, GgmlType Type, long[] Shape, ulong Offset) ReadTensor(GgufCursor cursor)
    {
        string name = cursor.Name();
        uint rank = cursor.UInt32();
        if (rank > MaxDimensions) throw new InvalidDataException($"its tensor '{name}' has {rank} dimensions");
        long[] shape = new long[rank];
        for (int d = shape.Length - 1; d >= 0; d--) shape[d] = (long)cursor.UInt64();
        return (name, (GgmlType)cursor.UInt32(), shape, cursor.UInt64());
    }

    private static StoredTensor Tensor(
        ShardMappings files, int number, long data, long alignment, (string Name, GgmlType Type, long[] Shape, ulong Offset) listed)
    {
        (string name, GgmlType type, long[] shape, ulong offset) = listed;
        GgmlFormat format = GgmlFormat.Of(type) ?? throw new NotSupportedException(
            $"its tensor '{name}' is of the type {type}; give a file of the model in F16, Q8_0 or a type such as Q4_K, or make one of this with llama.cpp's llama-quantize");
        if (!TensorShape.TryCountElements(shape, out long count)) throw new InvalidDataException($"its tensor '{name}' has more elements than can be counted");
        if (format.BlockLength > 1 && (shape.Length == 0 || shape[^1] % format.BlockLength != 0))
            throw new InvalidDataException($"its tensor '{name}' has rows that are not a multiple of {format.BlockLength}, the block of {type}");

        long room = files.Open(number).Length - data, blocks = count / format.BlockLength;
        if (offset % (ulong)alignment != 0) throw new InvalidDataException($"its tensor '{name}' begins at {offset}, which is not a multiple of {alignment}");
        if ((Int128)blocks * format.BlockSize > room - (Int128)offset)
        {
            UInt128 end = offset + (UInt128)((Int128)blocks * format.BlockSize);
            throw new EndOfStreamException($"its tensor '{name}' ends at byte {end} of the data, of which {Math.Max(room, 0)} are there");
        }

        return format.Decode is null
            ? new MappedTensor(files, number, data + (long)offset, name, format.DType, new TensorShape(shape))
            : new GgufTensor(files, number, data + (long)offset, name, format, new TensorShape(shape));
    }
}

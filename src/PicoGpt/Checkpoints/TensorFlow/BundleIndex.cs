using System.Text;
using PicoGpt.Files;

namespace PicoGpt.Checkpoints.TensorFlow;

/// <summary>The contents of a checkpoint's <c>.index</c> file.</summary>
internal sealed class BundleIndex
{
    // The largest known index of this format takes a few megabytes; a file beyond this is something else.
    private const int MaxFileLength = 256 * 1024 * 1024;

    // All slices' dimensions together: they bound what comparing every slice of a tensor with every other takes.
    private const int MaxExtents = 128 * 1024;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private static readonly Comparer<TableEntry> KeyOrder = Comparer<TableEntry>.Create((a, b) => a.Key.AsSpan().SequenceCompareTo(b.Key));

    private readonly Dictionary<string, TensorEntry> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TensorEntry[]> _pieces = new(StringComparer.Ordinal);
    private readonly List<TensorEntry> _entries = [];
    private int _shardCount;
    private int _extents;

    private BundleIndex(string path) => Path = path;

    public string Path { get; }

    public int ShardCount => _shardCount;

    /// <summary>The tensors in order of their names; slices are not among them.</summary>
    public IReadOnlyList<TensorEntry> Entries => _entries;

    /// <summary>The entries that have bytes of their own: ordinary tensors and the slices of partitioned ones.</summary>
    public IEnumerable<TensorEntry> StoredEntries => _entries.SelectMany(StoredEntriesOf);

    public static BundleIndex Load(string path, CancellationToken cancellationToken = default)
    {
        var index = new BundleIndex(path);
        ReadOnlyMemory<byte> file = ReadFile(path);
        try
        {
            index.Decode(SortedTable.ReadEntries(file, cancellationToken), cancellationToken);
        }
        catch (InvalidDataException fault)
        {
            throw Gpt2Exception.WithAdvice(
                Gpt2Error.Corrupt, $"The checkpoint index '{path}' is damaged: {fault.Message}", Gpt2Exception.CopyAgain, path, fault);
        }

        return index;
    }

    public bool TryGet(string name, out TensorEntry? entry) => _byName.TryGetValue(name, out entry);

    /// <summary>The tensor's own entry, or one entry for each slice of a partitioned tensor, in the order of its slices.</summary>
    public IReadOnlyList<TensorEntry> StoredEntriesOf(TensorEntry entry) => entry.IsPartitioned ? _pieces[entry.Name] : [entry];

    private static byte[] ReadFile(string path)
    {
        using FileStream file = ReadableFile.Open(path);
        if (!SortedTable.HasMagic(ReadableFile.ReadEnd(file, SortedTable.FooterLength)))
        {
            ForeignWeights.ThrowIfKnown(path);
            throw Gpt2Exception.WithAdvice(
                Gpt2Error.NotAFormat,
                $"'{path}' ({file.Length} bytes) is not a TensorFlow checkpoint index, or is cut short: it does not end in the table format's magic number",
                Gpt2Exception.CopyAgain,
                path);
        }

        if (file.Length > MaxFileLength)
        {
            throw new Gpt2Exception(
                Gpt2Error.Unsupported,
                $"'{path}' has {file.Length} bytes, more than a checkpoint's index can have; "
                    + "if it is a checkpoint in TensorFlow's first format (V1, one file), save it again with SaverDef.V2.",
                path);
        }

        byte[] contents = new byte[file.Length];
        file.Seek(0, SeekOrigin.Begin);
        file.ReadExactly(contents);
        return contents;
    }

    private void Decode(List<TableEntry> table, CancellationToken cancellationToken)
    {
        if (table.Count == 0 || table[0].Key.Length != 0)
        {
            throw new Gpt2Exception(
                Gpt2Error.NotAFormat, $"'{Path}' is a sorted table but not a checkpoint's index: it has no header.", Path);
        }

        DecodeHeader(table[0].Value.Span);
        foreach (TableEntry entry in table.Skip(1).Where(entry => entry.Key[0] != OrderedCode.SliceKeyMark))
        {
            cancellationToken.ThrowIfCancellationRequested();
            Add(DecodeEntry(DecodeName(entry.Key), entry.Value.Span));
        }

        foreach (TensorEntry partitioned in _entries.Where(entry => entry.IsPartitioned))
        {
            cancellationToken.ThrowIfCancellationRequested();
            _pieces.Add(partitioned.Name, DecodePieces(partitioned, table));
        }

        CheckDisjoint();
    }

    /// <summary>No writer gives two tensors the same bytes; a small file could stand for any amount of them.</summary>
    private void CheckDisjoint()
    {
        TensorEntry[] entries = [.. StoredEntries.Where(entry => entry.Size > 0).OrderBy(entry => entry.ShardId).ThenBy(entry => entry.Offset)];
        foreach ((TensorEntry entry, TensorEntry next) in entries.Zip(entries.Skip(1)))
        {
            if (entry.ShardId == next.ShardId && entry.Offset + entry.Size > next.Offset)
                throw new InvalidDataException($"tensors '{entry.Name}' and '{next.Name}' overlap in their data file");
        }
    }

    private void Add(TensorEntry entry)
    {
        _extents += entry.Slices.Sum(slice => slice.Extents.Count);
        if (_extents > MaxExtents) throw new InvalidDataException($"its slices have more than {MaxExtents} dimensions");
        _byName.Add(entry.Name, entry);
        _entries.Add(entry);
    }

    private TensorEntry[] DecodePieces(TensorEntry whole, List<TableEntry> table)
    {
        SliceAssembly.CheckCover(whole);
        byte[] name = Encoding.UTF8.GetBytes(whole.Name);
        TensorEntry[] pieces = new TensorEntry[whole.Slices.Count];
        for (int i = 0; i < pieces.Length; i++)
        {
            TensorSlice slice = whole.Slices[i];
            int found = table.BinarySearch(new TableEntry(OrderedCode.SliceKey(name, slice), default), KeyOrder);
            if (found < 0) throw new InvalidDataException($"slice {slice} of tensor '{whole.Name}' has no entry");
            TensorEntry piece = DecodeEntry($"{whole.Name} {slice}", table[found].Value.Span);
            if (!slice.TryShapeWithin(whole.Shape, out TensorShape shape) || piece.Shape != shape || piece.DType != whole.DType)
                throw new InvalidDataException($"slice {slice} of tensor '{whole.Name}' {whole.Shape} has the shape {piece.Shape}");
            if (piece.IsPartitioned) throw new InvalidDataException($"slice {slice} of tensor '{whole.Name}' has slices itself");
            pieces[i] = piece;
        }

        return pieces;
    }

    private void DecodeHeader(ReadOnlySpan<byte> value)
    {
        if (BundleHeader.IsFirstFormat(value))
        {
            throw new Gpt2Exception(
                Gpt2Error.Unsupported,
                $"'{Path}' is a checkpoint in TensorFlow's first format (V1, one file), which is not read; save it again with SaverDef.V2.",
                Path);
        }

        BundleHeader header = BundleHeader.Decode(value);
        if (header.IsBigEndian)
        {
            throw new Gpt2Exception(
                Gpt2Error.Unsupported, $"The checkpoint '{Path}' was written on a big-endian machine, which is not read.", Path);
        }

        if (header.MinimumConsumer > BundleHeader.Version)
        {
            throw new Gpt2Exception(
                Gpt2Error.Unsupported,
                $"The checkpoint '{Path}' needs a reader of version {header.MinimumConsumer} of its format; "
                    + $"this one reads version {BundleHeader.Version}.",
                Path);
        }

        _shardCount = header.ShardCount;
    }

    private TensorEntry DecodeEntry(string name, ReadOnlySpan<byte> value)
    {
        try
        {
            return BundleEntryCodec.Decode(name, value, _shardCount);
        }
        catch (InvalidDataException fault)
        {
            throw new InvalidDataException($"the entry of tensor '{name}' is wrong: {fault.Message}", fault);
        }
    }

    private static string DecodeName(byte[] key)
    {
        try
        {
            return StrictUtf8.GetString(key);
        }
        catch (DecoderFallbackException fault)
        {
            throw new InvalidDataException($"the name of tensor '{Encoding.Latin1.GetString(key)}' is not UTF-8", fault);
        }
    }
}

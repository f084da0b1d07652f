using System.Buffers.Binary;
using PicoGpt.Files;

namespace PicoGpt.Checkpoints.TensorFlow;

/// <summary>
/// Reads a whole sorted table in memory (LevelDB, table_format.md): footer, index block, data blocks.
/// Malformed contents are an <see cref="InvalidDataException"/>.
/// </summary>
internal sealed class SortedTable
{
    public const int FooterLength = 48;
    public const int TrailerLength = 5;
    public const ulong Magic = 0xdb4775248b80fb57;
    public const byte NotCompressed = 0;
    public const byte SnappyCompressed = 1;

    // A few bytes of a table can stand for many more in memory: a key for a long prefix of the key before, a copy in a compressed block
    // for 64 bytes, an entry for the objects that are made of it. These bounds are far beyond every checkpoint known, and together
    // they keep a table from taking more than a few tens of megabytes beyond its file.
    private const int MaxKeyLength = 32 * 1024;
    private const int MaxKeyBytes = 4 * 1024 * 1024;
    private const int MaxDecompressedBytes = 16 * 1024 * 1024;
    private const int MaxEntries = 32 * 1024;

    private readonly ReadOnlyMemory<byte> _file;
    private int _keyBytes;
    private int _decompressedBytes;

    private SortedTable(ReadOnlyMemory<byte> file) => _file = file;

    /// <summary>Whether a file that ends in these bytes can be a sorted table.</summary>
    public static bool HasMagic(ReadOnlySpan<byte> end) =>
        end.Length >= FooterLength && BinaryPrimitives.ReadUInt64LittleEndian(end[^sizeof(ulong)..]) == Magic;

    /// <summary>Whether a file is a table, as its end shows.</summary>
    /// <exception cref="Gpt2Exception">The file cannot be read.</exception>
    public static bool IsTable(string path)
    {
        using FileStream file = ReadableFile.Open(path);
        return HasMagic(ReadableFile.ReadEnd(file, FooterLength));
    }

    /// <summary>All entries of a file that <see cref="HasMagic"/>, in strictly increasing order of their keys.</summary>
    public static List<TableEntry> ReadEntries(ReadOnlyMemory<byte> file, CancellationToken cancellationToken = default) =>
        new SortedTable(file).ReadEntries(cancellationToken);

    /// <summary>The end of a table: where its index of metadata and its index lie, zeros, and the magic number.</summary>
    public static byte[] Footer(BlockHandle metaIndex, BlockHandle index)
    {
        var handles = new List<byte>();
        metaIndex.Write(handles);
        index.Write(handles);
        byte[] footer = new byte[FooterLength];
        handles.CopyTo(footer);
        BinaryPrimitives.WriteUInt64LittleEndian(footer.AsSpan(FooterLength - sizeof(ulong)), Magic);
        return footer;
    }

    private List<TableEntry> ReadEntries(CancellationToken cancellationToken)
    {
        ReadOnlySpan<byte> footer = _file.Span[^FooterLength..];
        BlockHandle metaIndex = BlockHandle.Read(ref footer), index = BlockHandle.Read(ref footer);

        // No checksum covers the footer, so every bit of it must be as it is written, also where another would mean the same.
        if (!_file.Span[^FooterLength..].SequenceEqual(Footer(metaIndex, index)))
            throw new InvalidDataException("its footer is not as it is written");
        ReadBlock(metaIndex); // nothing in it concerns us, but it must be whole
        var blocks = new List<TableEntry>();
        ParseBlock(ReadBlock(index), blocks);

        var entries = new List<TableEntry>();
        foreach (TableEntry block in blocks)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ReadOnlySpan<byte> value = block.Value.Span;
            BlockHandle handle = BlockHandle.Read(ref value);
            ParseBlock(ReadBlock(handle), entries);
        }

        return entries;
    }

    private ReadOnlyMemory<byte> ReadBlock(BlockHandle handle)
    {
        ulong limit = (ulong)(_file.Length - FooterLength);
        if (handle.Offset > limit || handle.Size > limit - handle.Offset || limit - handle.Offset - handle.Size < TrailerLength)
            throw new InvalidDataException($"a block of {handle.Size} bytes at {handle.Offset} passes the end of the file");

        ReadOnlyMemory<byte> contents = _file.Slice((int)handle.Offset, (int)handle.Size);
        ReadOnlySpan<byte> checkedBytes = _file.Span.Slice((int)handle.Offset, (int)handle.Size + 1);
        ReadOnlySpan<byte> trailer = _file.Span.Slice((int)handle.Offset + (int)handle.Size, TrailerLength);
        uint stored = Crc32C.Unmask(BinaryPrimitives.ReadUInt32LittleEndian(trailer[1..]));
        uint computed = Crc32C.Compute(checkedBytes);
        if (stored != computed)
        {
            throw new InvalidDataException(
                $"the block at {handle.Offset} should have the CRC32C {stored:x8}, but its bytes give {computed:x8}");
        }

        return trailer[0] switch
        {
            NotCompressed => contents,
            SnappyCompressed => Decompress(contents.Span),
            byte other => throw new InvalidDataException($"the block at {handle.Offset} has the unknown compression {other}"),
        };
    }

    private byte[] Decompress(ReadOnlySpan<byte> block)
    {
        byte[] contents = SnappyBlock.Decompress(block, MaxDecompressedBytes - _decompressedBytes);
        _decompressedBytes += contents.Length;
        return contents;
    }

    private void ParseBlock(ReadOnlyMemory<byte> block, List<TableEntry> entries)
    {
        int entriesLength = FindRestarts(block.Span, out ReadOnlySpan<byte> restarts);
        ReadOnlySpan<byte> rest = block.Span[..entriesLength];
        byte[] previousKey = [];
        while (!rest.IsEmpty)
        {
            int position = entriesLength - rest.Length;
            bool isRestart = restarts.Length > 0 && BinaryPrimitives.ReadUInt32LittleEndian(restarts) == position;
            if (isRestart)
                restarts = restarts[sizeof(uint)..];

            int shared = Varint.ReadLength(ref rest, isRestart ? 0 : previousKey.Length);
            int unshared = Varint.ReadLength(ref rest, Math.Min(rest.Length, MaxKeyLength - shared));
            int valueLength = Varint.ReadLength(ref rest, rest.Length);
            if (unshared > rest.Length - valueLength)
                throw new InvalidDataException($"the entry at {position} passes the end of its block");

            byte[] key = [.. previousKey.AsSpan(0, shared), .. rest[..unshared]];
            Add(entries, key, block.Slice(entriesLength - rest.Length + unshared, valueLength));
            rest = rest[(unshared + valueLength)..];
            previousKey = key;
        }

        // An empty block has one restart, at 0; otherwise each must have been met as the start of an entry.
        if (restarts.Length > (entriesLength == 0 ? sizeof(uint) : 0))
            throw new InvalidDataException("a restart is not the start of an entry");
    }

    private static int FindRestarts(ReadOnlySpan<byte> block, out ReadOnlySpan<byte> restarts)
    {
        if (block.Length < 2 * sizeof(uint)) throw new InvalidDataException($"a block of {block.Length} bytes is too short");
        uint count = BinaryPrimitives.ReadUInt32LittleEndian(block[^sizeof(uint)..]);
        if (count == 0 || count > (uint)(block.Length / sizeof(uint)) - 1)
            throw new InvalidDataException($"a block of {block.Length} bytes cannot have {count} restarts");

        int entriesLength = block.Length - (((int)count + 1) * sizeof(uint));
        restarts = block[entriesLength..^sizeof(uint)];
        if (BinaryPrimitives.ReadUInt32LittleEndian(restarts) != 0) throw new InvalidDataException("a block's first restart is not 0");
        return entriesLength;
    }

    private void Add(List<TableEntry> entries, byte[] key, ReadOnlyMemory<byte> value)
    {
        if (entries.Count > 0 && entries[^1].Key.AsSpan().SequenceCompareTo(key) >= 0)
            throw new InvalidDataException("keys are not in increasing order");

        if (entries.Count == MaxEntries) throw new InvalidDataException($"it has more than {MaxEntries} entries");
        _keyBytes += key.Length;
        if (_keyBytes > MaxKeyBytes) throw new InvalidDataException($"the keys take more than {MaxKeyBytes} bytes");
        entries.Add(new TableEntry(key, value));
    }
}

using System.Buffers.Binary;
using PicoGpt.Files;

namespace PicoGpt.Checkpoints.TensorFlow;

/// <summary>Writes a sorted table (LevelDB, table_format.md), with the block boundaries and separator keys of LevelDB's builder.</summary>
internal sealed class SortedTableWriter(Stream output, TensorBundleWriterOptions options)
{
    private readonly BlockBuilder _data = new(options.RestartInterval);
    private readonly BlockBuilder _index = new(restartInterval: 1);
    private ulong _offset;
    private byte[] _lastKey = [];
    private BlockHandle? _pending; // a written block, whose separator needs the next block's first key

    /// <summary>Adds an entry; its key must be greater than the last.</summary>
    public void Add(byte[] key, ReadOnlySpan<byte> value)
    {
        if (_pending is BlockHandle written)
            AddToIndex(Separator(_lastKey, key), written);

        _data.Add(key, value);
        _lastKey = key;
        if (_data.Size >= options.BlockSize)
            _pending = WriteBlock(_data.Finish());
    }

    public void Finish()
    {
        if (!_data.IsEmpty)
            _pending = WriteBlock(_data.Finish());
        BlockHandle metaIndex = WriteBlock(new BlockBuilder(options.RestartInterval).Finish());
        if (_pending is BlockHandle written)
            AddToIndex(Successor(_lastKey), written);
        output.Write(SortedTable.Footer(metaIndex, WriteBlock(_index.Finish())));
    }

    /// <summary>A short key that is not less than one key and less than the next.</summary>
    internal static byte[] Separator(byte[] key, byte[] next)
    {
        int shared = key.AsSpan().CommonPrefixLength(next);
        bool canShorten = shared < key.Length && shared < next.Length && key[shared] + 1 < next[shared];
        return canShorten ? [.. key.AsSpan(0, shared), (byte)(key[shared] + 1)] : key;
    }

    /// <summary>A short key that is not less than a key.</summary>
    internal static byte[] Successor(byte[] key)
    {
        int first = key.AsSpan().IndexOfAnyExcept((byte)0xff);
        return first < 0 ? key : [.. key.AsSpan(0, first), (byte)(key[first] + 1)];
    }

    private void AddToIndex(byte[] separator, BlockHandle block)
    {
        var value = new List<byte>();
        block.Write(value);
        _index.Add(separator, [.. value]);
        _pending = null;
    }

    private BlockHandle WriteBlock(byte[] contents)
    {
        byte compression = SortedTable.NotCompressed;
        byte[] compressed = options.CompressIndex ? SnappyBlock.Compress(contents) : contents;
        if (compressed.Length < contents.Length - (contents.Length / 8))
        {
            contents = compressed;
            compression = SortedTable.SnappyCompressed;
        }

        byte[] trailer = [compression, 0, 0, 0, 0];
        uint crc = Crc32C.Append(Crc32C.Compute(contents), trailer.AsSpan(0, 1));
        BinaryPrimitives.WriteUInt32LittleEndian(trailer.AsSpan(1), Crc32C.Mask(crc));
        output.Write(contents);
        output.Write(trailer);

        var handle = new BlockHandle(_offset, (ulong)contents.Length);
        _offset += (ulong)(contents.Length + trailer.Length);
        return handle;
    }
}

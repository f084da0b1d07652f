using System.Buffers.Binary;
using PicoGpt.Checkpoints.TensorFlow;
using PicoGpt.Files;

namespace PicoGpt.Fuzz;

/// <summary>
/// Writes sorted tables that no writer would write: whatever is wrong in them, the checksums of the blocks are right, so that the reader
/// continues to what is behind them.
/// </summary>
internal sealed class TableForge(Dice dice)
{
    private readonly List<byte> _file = [];

    /// <summary>The entries as a table; now and then everything else about the table is wrong too.</summary>
    /// <param name="entries">Keys and values, in the order in which they are to stand.</param>
    /// <param name="isDistorted">Whether blocks, handles and footer are changed.</param>
    public byte[] Build(IReadOnlyList<(byte[] Key, byte[] Value)> entries, bool isDistorted)
    {
        var index = new BlockBuilder(restartInterval: 1);
        int perBlock = 1 + dice.Next(entries.Count + 1), restartInterval = 1 + dice.Next(16);
        BlockHandle first = default;
        for (int start = 0; start < entries.Count; start += perBlock)
        {
            var block = new BlockBuilder(restartInterval);
            IEnumerable<(byte[] Key, byte[] Value)> some = entries.Skip(start).Take(perBlock);
            foreach ((byte[] key, byte[] value) in some) block.Add(key, value);
            BlockHandle handle = WriteBlock(Distort(block.Finish(), isDistorted), isDistorted);
            if (start == 0) first = handle;
            index.Add(some.Last().Key, Encode(Distort(handle, isDistorted)));
            if (isDistorted && dice.Chance(0.1)) index.Add(some.Last().Key, Encode(first)); // a block a second time
        }

        BlockHandle metaIndex = WriteBlock(new BlockBuilder(restartInterval).Finish(), isDistorted: false);
        WriteFooter(metaIndex, WriteBlock(Distort(index.Finish(), isDistorted), isDistorted), first, isDistorted);
        return [.. _file];
    }

    private byte[] Distort(byte[] block, bool isDistorted)
    {
        if (!isDistorted || dice.Chance(0.6)) return block;
        switch (dice.Next(4))
        {
            case 0: // restarts
                int restarts = BinaryPrimitives.ReadInt32LittleEndian(block.AsSpan(block.Length - sizeof(int)));
                int at = block.Length - (sizeof(int) * (1 + dice.Next(restarts + 1)));
                BinaryPrimitives.WriteUInt32LittleEndian(block.AsSpan(at), (uint)dice.Number());
                return block;
            case 1: return KeyBomb();
            default: return ByteMutations.Change(block, dice);
        }
    }

    // few bytes that say: as the key before, and one more
    private byte[] KeyBomb()
    {
        var block = new List<byte>();
        byte[] key = dice.Bytes(dice.Pick([16, 100, 32 * 1024, 64 * 1024]));
        key[0] = (byte)dice.Next(2);
        Append(block, 0, key);
        for (int copies = dice.Next(40_000 / (1 + dice.Next(100))); copies > 0; copies--) Append(block, key.Length - dice.Next(3), [0xff]);
        block.AddRange([0, 0, 0, 0, 1, 0, 0, 0]);
        return [.. block];
    }

    private static void Append(List<byte> block, int shared, byte[] unshared)
    {
        Varint.Write(block, (ulong)shared);
        Varint.Write(block, (ulong)unshared.Length);
        Varint.Write(block, 0);
        block.AddRange(unshared);
    }

    private BlockHandle WriteBlock(byte[] contents, bool isDistorted)
    {
        byte compression = SortedTable.NotCompressed;
        if (dice.Chance(0.3))
        {
            compression = SortedTable.SnappyCompressed;
            contents = isDistorted && dice.Chance(0.2) ? SnappyBomb() : SnappyBlock.Compress(contents);
            if (isDistorted && dice.Chance(0.3)) contents = ByteMutations.Change(contents, dice);
        }

        if (isDistorted && dice.Chance(0.03)) compression = (byte)dice.Next(256);
        byte[] trailer = [compression, 0, 0, 0, 0];
        uint crc = Crc32C.Append(Crc32C.Compute(contents), trailer.AsSpan(0, 1));
        BinaryPrimitives.WriteUInt32LittleEndian(trailer.AsSpan(1), Crc32C.Mask(crc));
        var handle = new BlockHandle((ulong)_file.Count, (ulong)contents.Length);
        _file.AddRange(contents);
        _file.AddRange(trailer);
        return handle;
    }

    // the densest there is: 64 bytes out of 3, under a length that may be a lie
    private byte[] SnappyBomb()
    {
        int copies = dice.Next(20_000);
        var block = new List<byte>();
        Varint.Write(block, dice.Chance(0.5) ? (ulong)(1 + (64 * copies)) : dice.Number());
        block.AddRange([0, 0]);
        for (; copies > 0; copies--) block.AddRange([0xfe, 1, 0]);
        return [.. block];
    }

    private void WriteFooter(BlockHandle metaIndex, BlockHandle index, BlockHandle other, bool isDistorted)
    {
        if (isDistorted && dice.Chance(0.1)) (metaIndex, index) = (index, metaIndex);
        if (isDistorted && dice.Chance(0.05)) index = other;
        var footer = new List<byte>();
        Distort(metaIndex, isDistorted).Write(footer);
        Distort(index, isDistorted).Write(footer);
        footer.AddRange(new byte[SortedTable.FooterLength - sizeof(ulong) - footer.Count]);
        byte[] magic = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(magic, SortedTable.Magic);
        _file.AddRange(footer);
        _file.AddRange(magic);
    }

    private BlockHandle Distort(BlockHandle handle, bool isDistorted)
    {
        if (!isDistorted || dice.Chance(0.85)) return handle;
        return dice.Next(4) switch
        {
            0 => handle with { Offset = dice.Number() },
            1 => handle with { Size = dice.Number() },
            2 => new BlockHandle(dice.Number(), dice.Number()),
            _ => new BlockHandle((ulong)_file.Count, (ulong)dice.Next(100)), // what is written next, the index itself
        };
    }

    private static byte[] Encode(BlockHandle handle)
    {
        var bytes = new List<byte>();
        handle.Write(bytes);
        return [.. bytes];
    }
}

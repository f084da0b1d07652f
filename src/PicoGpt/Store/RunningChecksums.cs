using PicoGpt.Checkpoints;
using PicoGpt.Checkpoints.TensorFlow;
using PicoGpt.Files;

namespace PicoGpt.Store;

/// <summary>Computes the CRC32C of every tensor of a data file whose bytes are given in order.</summary>
internal sealed class RunningChecksums
{
    private readonly TensorEntry[] _entries; // by offset, without overlap
    private readonly List<TensorEntry> _damaged = [];
    private long _position;
    private int _next;
    private uint _crc;

    private RunningChecksums(TensorEntry[] entries) => _entries = entries;

    /// <summary>The tensors that are incomplete, or do not have the checksum that the index gives.</summary>
    public IReadOnlyList<TensorEntry> Damaged => [.. _damaged, .. _entries[_next..]];

    /// <summary>
    /// Begins a data file. <see langword="null"/> where its index is missing, or has tensors that cannot be checked in passing:
    /// strings, slices, several data files.
    /// </summary>
    public static RunningChecksums? TryCreate(string dataPath)
    {
        if (BundlePath.PrefixOfData(dataPath) is not { } prefix || !File.Exists(BundlePath.IndexFile(prefix))) return null;
        BundleIndex index = BundleIndex.Load(BundlePath.IndexFile(prefix));
        TensorEntry[] entries = [.. index.Entries.Where(entry => entry.Size > 0).OrderBy(entry => entry.Offset)];
        bool isPlain = index.ShardCount == 1
            && !entries.Any(entry => entry.IsPartitioned || entry.DType is TensorDType.String or TensorDType.Variant)
            && !entries.Zip(entries.Skip(1)).Any(pair => pair.First.Offset + pair.First.Size > pair.Second.Offset);
        return isPlain ? new RunningChecksums(entries) : null;
    }

    /// <summary>Begins again.</summary>
    public void Reset()
    {
        (_position, _next, _crc) = (0, 0, 0);
        _damaged.Clear();
    }

    /// <summary>Takes the next bytes.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        while (_next < _entries.Length)
        {
            TensorEntry entry = _entries[_next];
            long end = entry.Offset + entry.Size, bytesEnd = _position + bytes.Length;
            long from = Math.Max(entry.Offset, _position), to = Math.Min(end, bytesEnd);
            if (from < to) _crc = Crc32C.Append(_crc, bytes[(int)(from - _position)..(int)(to - _position)]);
            if (end > bytesEnd) break;
            if (_crc != entry.Crc32C) _damaged.Add(entry);
            _crc = 0;
            _next++;
        }

        _position += bytes.Length;
    }
}

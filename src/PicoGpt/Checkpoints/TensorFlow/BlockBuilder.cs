using System.Buffers.Binary;

namespace PicoGpt.Checkpoints.TensorFlow;

/// <summary>Collects the entries of one block of a sorted table (LevelDB, table_format.md).</summary>
internal sealed class BlockBuilder(int restartInterval)
{
    private readonly List<byte> _bytes = [];
    private readonly List<int> _restarts = [0];
    private byte[] _lastKey = [];
    private int _entriesSinceRestart;

    public bool IsEmpty => _bytes.Count == 0;

    /// <summary>The bytes that <see cref="Finish"/> would give now.</summary>
    public int Size => _bytes.Count + ((_restarts.Count + 1) * sizeof(uint));

    public void Add(byte[] key, ReadOnlySpan<byte> value)
    {
        int shared = 0;
        if (_entriesSinceRestart < restartInterval)
        {
            shared = _lastKey.AsSpan().CommonPrefixLength(key);
        }
        else
        {
            _restarts.Add(_bytes.Count);
            _entriesSinceRestart = 0;
        }

        Varint.Write(_bytes, (ulong)shared);
        Varint.Write(_bytes, (ulong)(key.Length - shared));
        Varint.Write(_bytes, (ulong)value.Length);
        _bytes.AddRange(key.AsSpan(shared));
        _bytes.AddRange(value);
        _lastKey = key;
        _entriesSinceRestart++;
    }

    /// <summary>The block's contents; the builder is empty again.</summary>
    public byte[] Finish()
    {
        byte[] block = new byte[Size];
        _bytes.CopyTo(block);
        Span<byte> tail = block.AsSpan(_bytes.Count);
        for (int i = 0; i < _restarts.Count; i++)
            BinaryPrimitives.WriteInt32LittleEndian(tail[(i * sizeof(uint))..], _restarts[i]);
        BinaryPrimitives.WriteInt32LittleEndian(tail[^sizeof(uint)..], _restarts.Count);

        _bytes.Clear();
        _restarts.Clear();
        _restarts.Add(0);
        _lastKey = [];
        _entriesSinceRestart = 0;
        return block;
    }
}

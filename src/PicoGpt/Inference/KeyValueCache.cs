using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>
/// The keys and values of the positions read so far. Keys lie as [block, head, head_size, 64 positions], so that scores
/// of many positions are computed side by side; values as [head, n_ctx, head_size], a head padded to a multiple of
/// <see cref="Kernels.Lanes"/>.
/// </summary>
internal sealed unsafe class KeyValueCache : IDisposable
{
    private readonly AlignedBuffer[] _keys;
    private readonly AlignedBuffer[] _values;
    private readonly int _heads;
    private readonly int _headSize;

    public KeyValueCache(int layers, int heads, int headSize, int capacity)
    {
        int blocks = (capacity + Kernels.KeyBlock - 1) / Kernels.KeyBlock;
        _heads = heads;
        _headSize = headSize;
        Capacity = capacity;
        PaddedHeadSize = Pad(headSize);
        BlockStride = (nint)heads * headSize * Kernels.KeyBlock;
        _keys = [.. Enumerable.Range(0, layers).Select(_ => new AlignedBuffer((long)blocks * BlockStride))];
        _values = [.. Enumerable.Range(0, layers).Select(_ => new AlignedBuffer((long)heads * capacity * PaddedHeadSize))];
    }

    /// <summary>The most positions that it holds.</summary>
    public int Capacity { get; }

    /// <summary>Positions read so far.</summary>
    public int Length { get; set; }

    /// <summary>The head size rounded up to a whole number of lanes.</summary>
    public int PaddedHeadSize { get; }

    /// <summary>Elements from a block of keys to the next.</summary>
    public nint BlockStride { get; }

    /// <summary>A head size rounded up to a whole number of lanes.</summary>
    public static int Pad(int headSize) => (int)Kernels.Padded(headSize);

    /// <summary>The first block of a head's keys.</summary>
    public float* Keys(int layer, int head) => _keys[layer].Data + ((nint)head * _headSize * Kernels.KeyBlock);

    /// <summary>A head's values, [n_ctx, padded head size].</summary>
    public float* Values(int layer, int head) => _values[layer].Data + ((nint)head * Capacity * PaddedHeadSize);

    /// <summary>Stores one head's key and value at one position: [head_size] each.</summary>
    public void Store(int layer, int head, int position, float* key, float* value)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)position, (uint)Capacity, nameof(position));
        float* keys = Keys(layer, head) + (position / Kernels.KeyBlock * BlockStride) + (position % Kernels.KeyBlock);
        float* values = Values(layer, head) + ((nint)position * PaddedHeadSize);
        for (int d = 0; d < _headSize; d++)
        {
            keys[(nint)d * Kernels.KeyBlock] = key[d];
            values[d] = value[d];
        }
    }

    /// <summary>Takes the first positions over from a text that begins alike.</summary>
    /// <param name="other">The text's cache.</param>
    /// <param name="positions">How many.</param>
    /// <param name="from">As many of them are here already.</param>
    /// <param name="firstLayer">The layers before it are not needed.</param>
    public void CopyFrom(KeyValueCache other, int positions, int from = 0, int firstLayer = 0)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(positions, other.Length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(from, Math.Min(positions, Length));
        nint block = from / Kernels.KeyBlock * BlockStride;
        nint keys = ((positions + Kernels.KeyBlock - 1) / Kernels.KeyBlock * BlockStride) - block;
        nint value = (nint)from * PaddedHeadSize;
        for (int layer = firstLayer; layer < _keys.Length; layer++)
        {
            Copy(other.Keys(layer, 0) + block, Keys(layer, 0) + block, keys);
            for (int head = 0; head < _heads; head++)
                Copy(other.Values(layer, head) + value, Values(layer, head) + value, (nint)(positions - from) * PaddedHeadSize);
        }

        Length = positions;
    }

    public void Dispose()
    {
        foreach (AlignedBuffer buffer in _keys) buffer.Dispose();
        foreach (AlignedBuffer buffer in _values) buffer.Dispose();
    }

    private static void Copy(float* source, float* destination, nint elements) =>
        Buffer.MemoryCopy(source, destination, elements * sizeof(float), elements * sizeof(float));
}

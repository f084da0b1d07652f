using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>
/// The keys and values of the positions read so far. Keys lie as [block, head, head_size, 64 positions], so that scores
/// of many positions are computed side by side; values as [head, n_ctx, head_size], a head padded to a multiple of
/// <see cref="Kernels.Lanes"/>. Both are floats, or integers of 16 bits with a scale for every position and head.
/// </summary>
internal sealed unsafe class KeyValueCache : IDisposable
{
    private readonly AlignedBuffer[] _keys;
    private readonly AlignedBuffer[] _values;
    private readonly AlignedBuffer[] _scales; // keys' [head, n_ctx in whole blocks], then the values'
    private readonly int _heads;
    private readonly int _headSize;
    private readonly int _elementSize;
    private readonly int _paddedCapacity;

    /// <param name="layers">n_layer.</param>
    /// <param name="heads">n_head.</param>
    /// <param name="headSize">n_embd / n_head.</param>
    /// <param name="capacity">The most positions that it holds.</param>
    /// <param name="isRounded">Whether keys and values are rounded to 16 bits.</param>
    public KeyValueCache(int layers, int heads, int headSize, int capacity, bool isRounded = false)
    {
        int blocks = (capacity + Kernels.KeyBlock - 1) / Kernels.KeyBlock;
        _heads = heads;
        _headSize = headSize;
        _elementSize = isRounded ? sizeof(short) : sizeof(float);
        _paddedCapacity = blocks * Kernels.KeyBlock;
        Capacity = capacity;
        IsRounded = isRounded;
        PaddedHeadSize = Pad(headSize);
        BlockStride = (nint)heads * headSize * Kernels.KeyBlock;
        _keys = Buffers(layers, (long)blocks * BlockStride * _elementSize);
        _values = Buffers(layers, (long)heads * capacity * PaddedHeadSize * _elementSize);
        _scales = Buffers(isRounded ? layers : 0, 2L * heads * _paddedCapacity * sizeof(float));
    }

    /// <summary>The most positions that it holds.</summary>
    public int Capacity { get; }

    /// <summary>Whether keys and values are integers of 16 bits, with scales.</summary>
    public bool IsRounded { get; }

    /// <summary>The bytes that it takes when it is full.</summary>
    public long Size => new[] { _keys, _values, _scales }.Sum(buffers => buffers.Sum(buffer => buffer.Length * sizeof(float)));

    /// <summary>Positions read so far.</summary>
    public int Length { get; set; }

    /// <summary>The head size rounded up to a whole number of lanes.</summary>
    public int PaddedHeadSize { get; }

    /// <summary>Elements from a block of keys to the next.</summary>
    public nint BlockStride { get; }

    /// <summary>A head size rounded up to a whole number of lanes.</summary>
    public static int Pad(int headSize) => (int)Kernels.Padded(headSize);

    /// <summary>The first block of a head's keys, where they are floats.</summary>
    public float* Keys(int layer, int head) => (float*)KeyBytes(layer, head);

    /// <summary>A head's values, [n_ctx, padded head size], where they are floats.</summary>
    public float* Values(int layer, int head) => (float*)ValueBytes(layer, head);

    /// <summary>The first block of a head's keys, where they are integers.</summary>
    public short* RoundedKeys(int layer, int head) => (short*)KeyBytes(layer, head);

    /// <summary>A head's values, [n_ctx, padded head size], where they are integers.</summary>
    public short* RoundedValues(int layer, int head) => (short*)ValueBytes(layer, head);

    /// <summary>The scales of a head's keys, where they are integers: [n_ctx in whole blocks].</summary>
    public float* KeyScales(int layer, int head) => _scales[layer].Data + ((nint)head * _paddedCapacity);

    /// <summary>The scales of a head's values, where they are integers: [n_ctx in whole blocks].</summary>
    public float* ValueScales(int layer, int head) => KeyScales(layer, _heads + head);

    /// <summary>Stores one head's keys and values at further positions.</summary>
    /// <param name="kernels">The loops.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="head">The head.</param>
    /// <param name="position">The first position.</param>
    /// <param name="keys">[positions, head_size].</param>
    /// <param name="values">[positions, head_size].</param>
    public void Store(Kernels kernels, int layer, int head, int position, Matrix keys, Matrix values)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(keys.Rows, Capacity - position, nameof(position));
        if (IsRounded) StoreRounded(kernels, layer, head, position, keys, values);
        else StoreFloats(layer, head, position, keys, values);
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
        if (IsRounded != other.IsRounded) throw new ArgumentException("One cache holds floats and the other integers.", nameof(other));
        nint block = from / Kernels.KeyBlock * BlockStride;
        nint keys = ((positions + Kernels.KeyBlock - 1) / Kernels.KeyBlock * BlockStride) - block;
        nint value = (nint)from * PaddedHeadSize, values = (nint)(positions - from) * PaddedHeadSize;
        for (int layer = firstLayer; layer < _keys.Length; layer++)
        {
            Copy(other.KeyBytes(layer, 0), KeyBytes(layer, 0), block, keys, _elementSize);
            for (int head = 0; head < _heads; head++)
            {
                Copy(other.ValueBytes(layer, head), ValueBytes(layer, head), value, values, _elementSize);
                if (!IsRounded) continue;
                Copy((byte*)other.KeyScales(layer, head), (byte*)KeyScales(layer, head), from, positions - from, sizeof(float));
                Copy((byte*)other.ValueScales(layer, head), (byte*)ValueScales(layer, head), from, positions - from, sizeof(float));
            }
        }

        Length = positions;
    }

    public void Dispose()
    {
        foreach (AlignedBuffer buffer in _keys) buffer.Dispose();
        foreach (AlignedBuffer buffer in _values) buffer.Dispose();
        foreach (AlignedBuffer buffer in _scales) buffer.Dispose();
    }

    private static AlignedBuffer[] Buffers(int layers, long bytes) =>
        [.. Enumerable.Range(0, layers).Select(_ => new AlignedBuffer((bytes + sizeof(float) - 1) / sizeof(float)))];

    private static void Copy(byte* source, byte* destination, nint first, nint elements, int size) =>
        Buffer.MemoryCopy(source + (first * size), destination + (first * size), elements * size, elements * size);

    private byte* KeyBytes(int layer, int head) => (byte*)_keys[layer].Data + ((nint)head * _headSize * Kernels.KeyBlock * _elementSize);

    private byte* ValueBytes(int layer, int head) => (byte*)_values[layer].Data + ((nint)head * Capacity * PaddedHeadSize * _elementSize);

    // the elements from the first block of a head's keys to a position's first
    private nint KeyOffset(int position) => (position / Kernels.KeyBlock * BlockStride) + (position % Kernels.KeyBlock);

    private void StoreFloats(int layer, int head, int position, Matrix keys, Matrix values)
    {
        float* firstKey = Keys(layer, head), firstValue = Values(layer, head) + ((nint)position * PaddedHeadSize);
        for (int t = 0; t < values.Rows; t++)
            values.Row(t).CopyTo(new Span<float>(firstValue + ((nint)t * PaddedHeadSize), _headSize));
        int end = position + keys.Rows, rows;
        for (int at = position; at < end; at += rows)
        {
            rows = Math.Min(Kernels.KeyBlock - (at % Kernels.KeyBlock), end - at);
            Transposition.Copy(keys.RowPointer(at - position), keys.Stride, rows, _headSize, firstKey + KeyOffset(at), Kernels.KeyBlock);
        }
    }

    private void StoreRounded(Kernels kernels, int layer, int head, int position, Matrix keys, Matrix values)
    {
        short* key = stackalloc short[_headSize + Kernels.RoundedTogether];
        float* keyScales = KeyScales(layer, head) + position, valueScales = ValueScales(layer, head) + position;
        for (int t = 0; t < keys.Rows; t++)
        {
            keyScales[t] = kernels.Round(keys.RowPointer(t), key, _headSize);
            short* column = RoundedKeys(layer, head) + KeyOffset(position + t);
            for (int d = 0; d < _headSize; d++) column[(nint)d * Kernels.KeyBlock] = key[d];
            valueScales[t] = kernels.Round(values.RowPointer(t), key, _headSize);
            new ReadOnlySpan<short>(key, _headSize).CopyTo(new Span<short>(RoundedValues(layer, head) + ((nint)(position + t) * PaddedHeadSize), _headSize));
        }
    }
}

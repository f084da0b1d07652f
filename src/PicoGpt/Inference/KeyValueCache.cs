using System.Numerics;
using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>
/// The keys and values of the positions read so far. Its memory (see <see cref="KeyValueMemory"/>) grows with them, to twice as many
/// positions at a time.
/// </summary>
/// <param name="layers">n_layer.</param>
/// <param name="heads">n_head.</param>
/// <param name="headSize">n_embd / n_head.</param>
/// <param name="capacity">The most positions that it holds.</param>
/// <param name="isRounded">Whether keys and values are rounded to integers of 16 bits with a scale for every position and head.</param>
internal sealed unsafe class KeyValueCache(int layers, int heads, int headSize, int capacity, bool isRounded = false) : IDisposable
{
    private KeyValueMemory _memory = new(layers, heads, headSize, blocks: 1, isRounded);

    /// <summary>The most positions that it holds.</summary>
    public int Capacity => capacity;

    /// <summary>Whether keys and values are integers of 16 bits, with scales.</summary>
    public bool IsRounded => isRounded;

    /// <summary>The bytes that it takes.</summary>
    public long Size => _memory.Size;

    /// <summary>Positions read so far.</summary>
    public int Length { get; set; }

    private int PaddedHeadSize { get; } = Pad(headSize);

    /// <summary>A head size rounded up to a whole number of lanes.</summary>
    public static int Pad(int headSize) => (int)Kernels.Padded(headSize);

    /// <summary>A head's keys, [blocks, head_size, 32], where they are floats.</summary>
    public float* Keys(int layer, int head) => (float*)_memory.Keys(layer, head);

    /// <summary>A head's values, [positions, padded head size], where they are floats.</summary>
    public float* Values(int layer, int head) => (float*)_memory.Values(layer, head);

    /// <summary>A head's keys, [blocks, head_size, 32], where they are integers.</summary>
    public short* RoundedKeys(int layer, int head) => (short*)_memory.Keys(layer, head);

    /// <summary>A head's values, [positions, padded head size], where they are integers.</summary>
    public short* RoundedValues(int layer, int head) => (short*)_memory.Values(layer, head);

    /// <summary>The scales of a head's keys, where they are integers: [blocks, 32].</summary>
    public float* KeyScales(int layer, int head) => _memory.KeyScales(layer, head);

    /// <summary>The scales of a head's values, where they are integers: [blocks, 32].</summary>
    public float* ValueScales(int layer, int head) => _memory.ValueScales(layer, head);

    /// <summary>Has memory for so many positions; called before any of them is stored. It keeps what is there, which may lie elsewhere then.</summary>
    /// <exception cref="OutOfMemoryException">There is not as much memory.</exception>
    public void Reserve(int positions)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(positions, capacity);
        if (positions <= _memory.Positions) return;
        int blocks = (int)BitOperations.RoundUpToPowerOf2((uint)Kernels.KeyBlocks(positions));
        _memory = new KeyValueMemory(layers, heads, headSize, Math.Min(blocks, Kernels.KeyBlocks(capacity)), isRounded, smaller: _memory);
    }

    /// <summary>Stores one head's keys and values at further positions.</summary>
    /// <param name="kernels">The loops.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="head">The head.</param>
    /// <param name="position">The first position.</param>
    /// <param name="keys">[positions, head_size].</param>
    /// <param name="values">[positions, head_size].</param>
    /// <exception cref="ArgumentOutOfRangeException">There are no such positions, or no memory is reserved for them.</exception>
    public void Store(Kernels kernels, int layer, int head, int position, Matrix keys, Matrix values)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(keys.Rows, Math.Min(capacity, _memory.Positions) - position, nameof(position));
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
        Reserve(positions);
        _memory.CopyFrom(other._memory, from, positions, firstLayer);
        Length = positions;
    }

    public void Dispose() => _memory.Dispose();

    private void StoreFloats(int layer, int head, int position, Matrix keys, Matrix values)
    {
        float* firstKey = Keys(layer, head), firstValue = Values(layer, head) + ((nint)position * PaddedHeadSize);
        for (int t = 0; t < values.Rows; t++)
            values.Row(t).CopyTo(new Span<float>(firstValue + ((nint)t * PaddedHeadSize), headSize));
        int end = position + keys.Rows, rows;
        for (int at = position; at < end; at += rows)
        {
            rows = Math.Min(Kernels.KeyBlock - (at % Kernels.KeyBlock), end - at);
            Transposition.Copy(keys.RowPointer(at - position), keys.Stride, rows, headSize, firstKey + Kernels.KeyOffset(at, headSize), Kernels.KeyBlock);
        }
    }

    private void StoreRounded(Kernels kernels, int layer, int head, int position, Matrix keys, Matrix values)
    {
        short* key = stackalloc short[headSize + Kernels.RoundedTogether];
        float* keyScales = KeyScales(layer, head) + position, valueScales = ValueScales(layer, head) + position;
        for (int t = 0; t < keys.Rows; t++)
        {
            keyScales[t] = kernels.Round(keys.RowPointer(t), key, headSize);
            short* column = RoundedKeys(layer, head) + Kernels.KeyOffset(position + t, headSize);
            for (int d = 0; d < headSize; d++) column[(nint)d * Kernels.KeyBlock] = key[d];
            valueScales[t] = kernels.Round(values.RowPointer(t), key, headSize);
            new ReadOnlySpan<short>(key, headSize).CopyTo(new Span<short>(RoundedValues(layer, head) + ((nint)(position + t) * PaddedHeadSize), headSize));
        }
    }
}

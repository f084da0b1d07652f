using System.Runtime.InteropServices;
using PicoGpt.Machine;
using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>
/// The memory of the keys and values of some positions. Of every layer and head keys lie as [block, head_size, 32 positions], so that
/// scores of many positions are computed side by side, and values as [positions, head_size], a head padded to a multiple of
/// <see cref="Kernels.Lanes"/>. Both are floats, or integers of 16 bits with a scale for every position and head. What a head has lies
/// together and in large pages: at 900 positions attention takes 0.6 times as long as with blocks of all heads in small pages (measured).
/// As many layers lie in one piece as large pages are worth while for, and no more: when the memory grows, a piece goes as soon as it is copied, and there
/// are never two memories.
/// </summary>
internal sealed unsafe class KeyValueMemory : IDisposable
{
    private const long PieceSize = 16 * 1024 * 1024;

    private readonly LargePages[] _pieces; // of some layers each
    private readonly byte*[] _layers; // [layer]: keys [head], values [head], and where they are integers scales of keys [head] and of values [head]
    private readonly int _layersOfPiece;
    private readonly int _heads;
    private readonly nint _keysSize; // of a head
    private readonly nint _valuesSize;
    private readonly nint _scalesSize; // of its keys or of its values

    /// <param name="layers">n_layer.</param>
    /// <param name="heads">n_head.</param>
    /// <param name="headSize">n_embd / n_head.</param>
    /// <param name="blocks">Blocks of positions.</param>
    /// <param name="isRounded">Whether keys and values are integers of 16 bits.</param>
    /// <param name="smaller">A memory of the same kind, from which everything is taken over; it is nothing more then.</param>
    /// <exception cref="OutOfMemoryException">There is not as much memory; the smaller one is as it was.</exception>
    public KeyValueMemory(int layers, int heads, int headSize, int blocks, bool isRounded, KeyValueMemory? smaller = null)
    {
        int elementSize = isRounded ? sizeof(short) : sizeof(float);
        _heads = heads;
        Positions = blocks * Kernels.KeyBlock;
        _keysSize = (nint)Positions * headSize * elementSize;
        _valuesSize = (nint)Positions * (nint)Kernels.Padded(headSize) * elementSize;
        _scalesSize = isRounded ? (nint)Positions * sizeof(float) : 0;
        _layers = new byte*[layers];
        _layersOfPiece = (int)Math.Min(layers, (PieceSize + LayerSize - 1) / LayerSize);
        _pieces = Allocate();
        for (int layer = 0; layer < layers; layer++) // the system gives pages when they are first written
        {
            NativeMemory.Clear(_layers[layer], (nuint)LayerSize);
            if (smaller is not null) TakeOver(smaller, layer);
        }
    }

    /// <summary>The positions that there is memory for.</summary>
    public int Positions { get; }

    /// <summary>Bytes.</summary>
    public long Size => _layers.Length * LayerSize;

    private nint LayerSize => _heads * (_keysSize + _valuesSize + (2 * _scalesSize));

    /// <summary>A head's keys.</summary>
    public byte* Keys(int layer, int head) => Layer(layer) + (head * _keysSize);

    /// <summary>A head's values.</summary>
    public byte* Values(int layer, int head) => Keys(layer, _heads) + (head * _valuesSize);

    /// <summary>The scales of a head's keys, where they are integers.</summary>
    public float* KeyScales(int layer, int head) => (float*)(Values(layer, _heads) + (head * _scalesSize));

    /// <summary>The scales of a head's values, where they are integers.</summary>
    public float* ValueScales(int layer, int head) => KeyScales(layer, _heads + head);

    /// <summary>Copies the keys and values of some positions from a memory of the same kind.</summary>
    /// <param name="other">The memory.</param>
    /// <param name="from">The first position.</param>
    /// <param name="to">The last, and one.</param>
    /// <param name="firstLayer">The layers before it are not needed.</param>
    public void CopyFrom(KeyValueMemory other, int from, int to, int firstLayer)
    {
        for (int layer = firstLayer; layer < _layers.Length; layer++) CopyLayer(other, layer, from, to);
    }

    public void Dispose()
    {
        foreach (LargePages piece in _pieces) piece.Dispose();
    }

    private byte* Layer(int layer)
    {
        ObjectDisposedException.ThrowIf(_pieces[layer / _layersOfPiece].IsClosed, this);
        return _layers[layer];
    }

    private LargePages[] Allocate()
    {
        List<LargePages> pieces = [];
        try
        {
            for (int layer = 0; layer < _layers.Length; layer++)
            {
                int within = layer % _layersOfPiece;
                if (within == 0) pieces.Add(new LargePages(Math.Min(_layersOfPiece, _layers.Length - layer) * LayerSize));
                _layers[layer] = pieces[^1].Data + (within * LayerSize);
            }

            return [.. pieces];
        }
        catch
        {
            foreach (LargePages piece in pieces) piece.Dispose();
            throw;
        }
    }

    private void TakeOver(KeyValueMemory smaller, int layer)
    {
        CopyLayer(smaller, layer, 0, smaller.Positions);
        int piece = layer / smaller._layersOfPiece;
        if (layer + 1 == Math.Min((piece + 1) * smaller._layersOfPiece, _layers.Length)) smaller._pieces[piece].Dispose();
    }

    private void CopyLayer(KeyValueMemory other, int layer, int from, int to)
    {
        int first = from / Kernels.KeyBlock * Kernels.KeyBlock, end = Kernels.KeyBlocks(to) * Kernels.KeyBlock; // keys lie in whole blocks
        for (int head = 0; head < _heads; head++)
        {
            Copy(other.Keys(layer, head), Keys(layer, head), first, end, _keysSize / Positions);
            Copy(other.Values(layer, head), Values(layer, head), from, to, _valuesSize / Positions);
            Copy((byte*)other.KeyScales(layer, head), (byte*)KeyScales(layer, head), from, to, _scalesSize / Positions);
            Copy((byte*)other.ValueScales(layer, head), (byte*)ValueScales(layer, head), from, to, _scalesSize / Positions);
        }
    }

    private static void Copy(byte* source, byte* target, int from, int to, nint size) => // size: bytes of a position
        Buffer.MemoryCopy(source + (from * size), target + (from * size), (to - from) * size, (to - from) * size);
}

using PicoGpt.Architecture;
using static TorchSharp.torch;

namespace PicoGpt.Peers.Torch;

/// <summary>The keys and values of texts of one length, [texts, n_head, positions, head] a layer.</summary>
internal sealed class TorchCache : IDisposable
{
    private readonly Tensor[] _keys, _values;

    /// <param name="h">The shape of the model.</param>
    /// <param name="type">How they are held.</param>
    /// <param name="texts">How many texts.</param>
    /// <param name="capacity">The most positions of each.</param>
    public TorchCache(Gpt2HyperParameters h, ScalarType type, int texts, int capacity)
    {
        Tensor[] Empty() => [.. Enumerable.Range(0, h.NLayer).Select(_ => zeros(texts, h.NHead, capacity, h.HeadSize, dtype: type))];
        (_keys, _values) = (Empty(), Empty());
    }

    /// <summary>Positions that were read, of all layers.</summary>
    public int Length { get; set; }

    /// <summary>Writes a layer's new keys and values behind the others.</summary>
    /// <returns>All keys and values up to the new ones.</returns>
    public (Tensor Keys, Tensor Values) Add(int layer, Tensor keys, Tensor values)
    {
        long rows = keys.shape[2];
        _keys[layer].narrow(2, Length, rows).copy_(keys);
        _values[layer].narrow(2, Length, rows).copy_(values);
        return (_keys[layer].narrow(2, 0, Length + rows), _values[layer].narrow(2, 0, Length + rows));
    }

    public void Dispose()
    {
        foreach (Tensor tensor in _keys.Concat(_values)) tensor.Dispose();
    }
}

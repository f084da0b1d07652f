using PicoGpt.Architecture;
using PicoGpt.Numerics;

namespace PicoGpt.Training;

/// <summary>Float32 memory of the shape of a model's weights, zero at first: the gradients, or a moment of them.</summary>
internal sealed unsafe class LeafMemory : IDisposable
{
    private readonly AlignedBuffer _buffer;
    private readonly ClearJob _clear;

    /// <param name="h">The shape of the model.</param>
    /// <param name="isWanted">Whether a weight of a name has such memory.</param>
    public LeafMemory(Gpt2HyperParameters h, Func<string, bool> isWanted)
    {
        _buffer = new AlignedBuffer(Gpt2Architecture.Leaves(h).Where(leaf => isWanted(leaf.Name)).Sum(leaf => Kernels.Padded(leaf.Count)));
        _clear = new ClearJob(_buffer);
        float* next = _buffer.Data;
        Tree = new Gpt2Tree<Matrix>(h, leaf =>
        {
            if (!isWanted(leaf.Name)) return default;
            var matrix = new Matrix(next, leaf.Shape.Length == 1 ? 1 : leaf.Shape[0], leaf.Shape[^1]);
            next += Kernels.Padded(leaf.Count); // every leaf begins where a cache line does
            return matrix;
        });
    }

    /// <summary>The tree of them, each of its weight's shape, or of no rows where it is not wanted.</summary>
    public Gpt2Tree<Matrix> Tree { get; }

    /// <summary>Makes all of it zero.</summary>
    public void Clear(WorkerPool pool) => pool.Run(_clear);

    public void Dispose() => _buffer.Dispose();
}

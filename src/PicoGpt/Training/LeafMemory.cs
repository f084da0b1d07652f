using PicoGpt.Architecture;
using PicoGpt.Inference;
using PicoGpt.Numerics;

namespace PicoGpt.Training;

/// <summary>Float32 memory of the shape of a model's weights, zero at first: the gradients, or a moment of them.</summary>
internal sealed unsafe class LeafMemory : IDisposable
{
    private readonly AlignedBuffer _buffer;

    /// <param name="weights">The weights.</param>
    public LeafMemory(Gpt2Tree<PinnedWeight> weights)
    {
        _buffer = new AlignedBuffer(weights.Sum(weight => LengthOf(weight.Plain)));
        float* next = _buffer.Data;
        Tree = weights.Map(weight =>
        {
            var leaf = new Matrix(next, weight.Plain.Rows, weight.Plain.Columns);
            next += LengthOf(leaf);
            return leaf;
        });
    }

    /// <summary>The tree of them, each of its weight's shape.</summary>
    public Gpt2Tree<Matrix> Tree { get; }

    /// <summary>Makes all of it zero.</summary>
    public void Clear()
    {
        foreach (Matrix leaf in Tree) Span(leaf).Clear();
    }

    public void Dispose() => _buffer.Dispose();

    /// <summary>The values of a leaf.</summary>
    public static Span<float> Span(Matrix leaf) => new(leaf.Data, checked(leaf.Rows * leaf.Columns));

    // Every leaf begins where a cache line does.
    private static long LengthOf(Matrix leaf) => ((long)leaf.Rows * leaf.Columns + Kernels.Lanes - 1) / Kernels.Lanes * Kernels.Lanes;
}

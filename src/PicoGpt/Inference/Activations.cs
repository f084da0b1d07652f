using PicoGpt.Architecture;
using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>
/// The memory of what passes through a model: one block's, which all blocks use in turn, or every block's own, which is there after the
/// pass, as a backward pass needs it.
/// </summary>
internal sealed class Activations : IDisposable
{
    private readonly List<AlignedBuffer> _buffers = [];
    private readonly BlockActivations[] _blocks;

    /// <param name="h">The shape.</param>
    /// <param name="rows">The most rows of a batch.</param>
    /// <param name="isKept">Whether every block has its own.</param>
    public Activations(Gpt2HyperParameters h, int rows, bool isKept)
    {
        _blocks = isKept ? Kept(h, rows) : Reused(h, rows);
        FinalNorm = Buffer(rows, h.NEmbd);
        Logits = Buffer(Gpt2Forward.MaxLogits, h.NVocab);
    }

    /// <summary>A block's.</summary>
    public BlockActivations this[int layer] => _blocks[layer];

    /// <summary>The residual stream as it enters the first block: [rows, n_embd].</summary>
    public Matrix First => _blocks[0].ResidualBefore;

    /// <summary>The residual stream as it leaves the last block: [rows, n_embd].</summary>
    public Matrix Last => _blocks[^1].ResidualAfter;

    /// <summary>The final layer norm: [rows, n_embd].</summary>
    public Matrix FinalNorm { get; }

    /// <summary>[<see cref="Gpt2Forward.MaxLogits"/>, n_vocab].</summary>
    public Matrix Logits { get; }

    public void Dispose()
    {
        foreach (AlignedBuffer buffer in _buffers) buffer.Dispose();
    }

    private BlockActivations[] Reused(Gpt2HyperParameters h, int rows)
    {
        Matrix x = Buffer(rows, h.NEmbd), normed = Buffer(rows, h.NEmbd), added = Buffer(rows, h.NEmbd), hidden = Buffer(rows, h.NInner);
        var block = new BlockActivations
        {
            ResidualBefore = x,
            Ln1 = normed,
            Qkv = Buffer(rows, 3 * h.NEmbd),
            Heads = Buffer(rows, h.NEmbd),
            Attention = added,
            ResidualMiddle = x,
            Ln2 = normed,
            Hidden = hidden,
            Gelu = hidden,
            Mlp = added,
            ResidualAfter = x,
        };
        return [.. Enumerable.Repeat(block, h.NLayer)];
    }

    // What leaves a block is what enters the next.
    private BlockActivations[] Kept(Gpt2HyperParameters h, int rows)
    {
        Matrix[] residual = [.. Enumerable.Range(0, h.NLayer + 1).Select(_ => Buffer(rows, h.NEmbd))];
        return [.. Enumerable.Range(0, h.NLayer).Select(layer => new BlockActivations
        {
            ResidualBefore = residual[layer],
            Ln1 = Buffer(rows, h.NEmbd),
            Qkv = Buffer(rows, 3 * h.NEmbd),
            Heads = Buffer(rows, h.NEmbd),
            Attention = Buffer(rows, h.NEmbd),
            ResidualMiddle = Buffer(rows, h.NEmbd),
            Ln2 = Buffer(rows, h.NEmbd),
            Hidden = Buffer(rows, h.NInner),
            Gelu = Buffer(rows, h.NInner),
            Mlp = Buffer(rows, h.NEmbd),
            ResidualAfter = residual[layer + 1],
        })];
    }

    // A cache line is added to every row: rows a multiple of 4 KiB apart would all fall into the same few cache sets.
    private unsafe Matrix Buffer(int rows, int columns)
    {
        int stride = columns + Kernels.Lanes;
        var buffer = new AlignedBuffer((long)rows * stride);
        _buffers.Add(buffer);
        return new Matrix(buffer.Data, rows, columns, stride);
    }
}

using PicoGpt.Architecture;
using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>
/// The memory of what passes through a model, as far as it is to be there after the pass.
/// </summary>
internal sealed class Activations : IDisposable
{
    private readonly List<AlignedBuffer> _buffers = [];
    private readonly BlockActivations[] _blocks;

    /// <param name="h">The shape.</param>
    /// <param name="rows">The most rows of a batch.</param>
    /// <param name="memory">What every block has for itself.</param>
    /// <param name="logits">The most rows whose logits are computed together.</param>
    public Activations(Gpt2HyperParameters h, int rows, ActivationMemory memory, int logits)
    {
        _blocks = memory == ActivationMemory.Reused ? Reused(h, rows) : Kept(h, rows, isShared: memory == ActivationMemory.Residual);
        FinalNorm = Buffer(rows, h.NEmbd);
        Logits = Buffer(logits, h.NVocab);
    }

    /// <summary>A block's.</summary>
    public BlockActivations this[int layer] => _blocks[layer];

    /// <summary>The residual stream as it enters the first block: [rows, n_embd].</summary>
    public Matrix First => _blocks[0].ResidualBefore;

    /// <summary>The residual stream as it leaves the last block: [rows, n_embd].</summary>
    public Matrix Last => _blocks[^1].ResidualAfter;

    /// <summary>The final layer norm: [rows, n_embd].</summary>
    public Matrix FinalNorm { get; }

    /// <summary>The logits of some rows at a time: [n, n_vocab].</summary>
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
    private BlockActivations[] Kept(Gpt2HyperParameters h, int rows, bool isShared)
    {
        Matrix[] residual = [.. Enumerable.Range(0, h.NLayer + 1).Select(_ => Buffer(rows, h.NEmbd))];
        BlockActivations? first = null;
        return [.. Enumerable.Range(0, h.NLayer).Select(layer =>
        {
            BlockActivations? shared = isShared ? first : null;
            var block = new BlockActivations
            {
                ResidualBefore = residual[layer],
                Ln1 = shared?.Ln1 ?? Buffer(rows, h.NEmbd),
                Qkv = shared?.Qkv ?? Buffer(rows, 3 * h.NEmbd),
                Heads = shared?.Heads ?? Buffer(rows, h.NEmbd),
                Attention = shared?.Attention ?? Buffer(rows, h.NEmbd),
                ResidualMiddle = shared?.ResidualMiddle ?? Buffer(rows, h.NEmbd),
                Ln2 = shared?.Ln2 ?? Buffer(rows, h.NEmbd),
                Hidden = shared?.Hidden ?? Buffer(rows, h.NInner),
                Gelu = shared?.Gelu ?? Buffer(rows, h.NInner),
                Mlp = shared?.Mlp ?? Buffer(rows, h.NEmbd),
                ResidualAfter = residual[layer + 1],
            };
            first ??= block;
            return block;
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

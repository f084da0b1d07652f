using PicoGpt.Architecture;
using PicoGpt.Machine;
using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>
/// What a forward pass computes with: threads, loops, and the memory of what passes through. Passes of one shape may share it, as a
/// model's exact and reduced forms do, one after the other: what a pass leaves is there until the next one begins.
/// </summary>
internal sealed class Workspace : IDisposable
{
    private readonly List<AlignedBuffer> _buffers = [];

    /// <param name="h">The shape.</param>
    /// <param name="threads">Threads to compute with; 0 for one a physical core.</param>
    /// <param name="kernels">The loops.</param>
    public Workspace(Gpt2HyperParameters h, int threads, Kernels kernels)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        if (threads == 0) threads = Processors.PhysicalCount;
        Kernels = kernels;
        X = Buffer(Gpt2Forward.MostRows, h.NEmbd);
        Normed = Buffer(Gpt2Forward.MostRows, h.NEmbd);
        Qkv = Buffer(Gpt2Forward.MostRows, 3 * h.NEmbd);
        Heads = Buffer(Gpt2Forward.MostRows, h.NEmbd);
        Hidden = Buffer(Gpt2Forward.MostRows, 4 * h.NEmbd);
        Projected = Buffer(Gpt2Forward.MostRows, h.NEmbd);
        Logits = Buffer(Gpt2Forward.MostLogits, h.NVocab);
        AttentionScratch = new AlignedBuffer((long)threads * AttentionJob.ScratchLength(h.HeadSize, h.NCtx));
        Pool = new WorkerPool(threads); // last, for nobody would stop its threads if something after it failed
    }

    /// <summary>The loops.</summary>
    public Kernels Kernels { get; }

    /// <summary>The threads.</summary>
    public WorkerPool Pool { get; }

    /// <summary>Scores and results of the heads under way, for each thread.</summary>
    public AlignedBuffer AttentionScratch { get; }

    /// <summary>The residual stream: [rows, n_embd].</summary>
    public Matrix X { get; }

    /// <summary>[rows, n_embd].</summary>
    public Matrix Normed { get; }

    /// <summary>[rows, 3 n_embd].</summary>
    public Matrix Qkv { get; }

    /// <summary>[rows, n_embd].</summary>
    public Matrix Heads { get; }

    /// <summary>[rows, 4 n_embd].</summary>
    public Matrix Hidden { get; }

    /// <summary>[rows, n_embd].</summary>
    public Matrix Projected { get; }

    /// <summary>[<see cref="Gpt2Forward.MostLogits"/>, n_vocab].</summary>
    public Matrix Logits { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Pool.Dispose();
        AttentionScratch.Dispose();
        foreach (AlignedBuffer buffer in _buffers) buffer.Dispose();
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

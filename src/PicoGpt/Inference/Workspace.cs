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
    /// <param name="h">The shape.</param>
    /// <param name="threads">Threads to compute with; 0 for one per physical core.</param>
    /// <param name="kernels">The loops.</param>
    /// <param name="memory">What is there after a pass.</param>
    /// <param name="rows">The most rows of a batch.</param>
    /// <param name="logits">The most rows whose logits are computed together.</param>
    public Workspace(
        Gpt2HyperParameters h,
        int threads,
        Kernels kernels,
        ActivationMemory memory = ActivationMemory.Reused,
        int rows = Gpt2Forward.MaxRows,
        int logits = Gpt2Forward.MaxLogits)
    {
        threads = Processors.CountFor(threads);
        Kernels = kernels;
        Rows = rows;
        Activations = new Activations(h, rows, memory, logits);
        AttentionScratch = new AlignedBuffer(threads * AttentionJob.ScratchLength(h.HeadSize, h.NCtx));
        Pool = new WorkerPool(threads); // last, because nobody would stop its threads if something after it failed
    }

    /// <summary>The most rows of a batch.</summary>
    public int Rows { get; }

    /// <summary>The loops.</summary>
    public Kernels Kernels { get; }

    /// <summary>The threads.</summary>
    public WorkerPool Pool { get; }

    /// <summary>The memory of what passes through the model.</summary>
    public Activations Activations { get; }

    /// <summary>Scores and results of the heads under way, for each thread.</summary>
    public AlignedBuffer AttentionScratch { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Pool.Dispose();
        Activations.Dispose();
        AttentionScratch.Dispose();
    }
}

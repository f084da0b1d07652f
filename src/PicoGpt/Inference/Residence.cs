using PicoGpt.Architecture;
using PicoGpt.Machine;
using PicoGpt.Numerics;
using PicoGpt.Weights;

namespace PicoGpt.Inference;

/// <summary>
/// Moves a computation to a copy of its matrices in memory of this process's own, where they are read faster than in the mapped
/// file, once as many passes are to come as pay for the copying. A part is copied between two passes, by the threads of both: a thread beside
/// them would make every pass wait for it. No bit changes by the move.
/// </summary>
/// <param name="model">The model.</param>
/// <param name="pinned">The weights that it computes with.</param>
/// <param name="pool">Its threads.</param>
internal sealed class Residence(Gpt2Model model, PinnedParameters pinned, WorkerPool pool)
{
    // Measured at the shape of 124M.
    private const int MinPasses = 64;

    // Of the memory that is free, the copy takes no more than this share.
    private const int Share = 4;

    // The share of the copy that is made between two passes.
    private const double Part = 0.25;

    private ResidentWeights? _copy;
    private bool _isDecided;

    /// <summary>Called between two passes; moves when the copy is there.</summary>
    /// <param name="passes">How many passes are to come, as it seems.</param>
    /// <param name="wish">Whether to move at once, whatever it costs, or never; by default where it pays.</param>
    public void Expect(int passes, bool? wish = null)
    {
        if (_isDecided || wish == false || (_copy is null && !Begin(passes, wish == true))) return;
        try
        {
            do
            {
                if (!_copy!.IsComplete) _copy.CopyOn(pool, Part);
            }
            while (wish == true && !_copy.IsComplete);
            if (!_copy.IsComplete) return;
            pinned.Move(_copy);
        }
        catch (Exception fault) when (fault is Gpt2Exception or ObjectDisposedException)
        {
            // The model was closed, or a file of it is being overwritten, which the next pass tells; what was pinned before stays.
        }

        _isDecided = true;
    }

    /// <summary>Whether a copy is worth its memory: what the processor's caches hold is read fast wherever it lies.</summary>
    /// <param name="h">The model's shape.</param>
    /// <param name="precision">How it runs.</param>
    /// <param name="free">Bytes of memory that are free.</param>
    internal static bool CanPay(Gpt2HyperParameters h, Gpt2Precision precision, long free)
    {
        long size = ResidentWeights.SizeOf(h, precision);
        return size >= PackedWeights.SmallestFile && size <= free / Share;
    }

    private bool Begin(int passes, bool always)
    {
        _isDecided = model.IsClone || model.Adapter is not null; // weights that may change between two passes
        if (_isDecided) return false;
        if (!always && !model.IsResident)
        {
            if (passes < MinPasses) return false;
            _isDecided = !CanPay(model.HyperParameters, model.Precision, AvailableMemory.Bytes);
            if (_isDecided) return false;
        }

        _copy = model.Reside();
        _isDecided = _copy is null;
        return _copy is not null;
    }
}

using PicoGpt.Architecture;
using PicoGpt.Machine;
using PicoGpt.Weights;

namespace PicoGpt.Inference;

/// <summary>
/// Moves a computation to a copy of its matrices in memory of this process's own, where they are read faster than in the mapped file, once
/// as many passes are to come as pay for the copying. That happens beside the first of them, and the move between two: no bit changes by it.
/// </summary>
/// <param name="model">The model.</param>
/// <param name="pinned">The weights that it computes with.</param>
internal sealed class Residence(Gpt2Model model, PinnedParameters pinned)
{
    // Measured at the shape of 124M.
    private const int MinPasses = 64;

    // Of the memory that is free, the copy takes no more than this share.
    private const int Share = 4;

    private Task<ResidentWeights?>? _copy;
    private bool _isDecided;

    /// <summary>Called between two passes; moves when the copy is there.</summary>
    /// <param name="passes">How many passes are to come, as it seems.</param>
    /// <param name="wish">Whether to move at once, whatever it costs, or never; by default where it pays.</param>
    public void Expect(int passes, bool? wish = null)
    {
        if (_isDecided || wish == false || (_copy is null && !Begin(passes, wish == true))) return;
        if (wish == true) _copy!.Wait();
        if (!_copy!.IsCompleted) return;
        _isDecided = true;
        try
        {
            if (_copy.Result is { } weights) pinned.Move(weights);
        }
        catch (ObjectDisposedException) // the model was closed; what was pinned before stays
        {
        }
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
        if (model.IsClone || model.Adapter is not null) // which may change between two passes
        {
            _isDecided = true;
            return false;
        }

        if (!always && !model.IsResident)
        {
            if (passes < MinPasses) return false;
            _isDecided = !CanPay(model.HyperParameters, model.Precision, AvailableMemory.Bytes);
            if (_isDecided) return false;
        }

        _copy = model.Reside();
        return true;
    }
}

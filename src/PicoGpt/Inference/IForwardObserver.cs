using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>Sees what passes through <see cref="Gpt2Forward"/>. What it is shown is the pass's own memory, valid during the call.</summary>
internal interface IForwardObserver
{
    /// <summary>A layer's values at a place, for the rows of the batch. Called on the thread that runs the pass.</summary>
    void Observe(ActivationSite site, int layer, Matrix values);

    /// <summary>
    /// The attention of a row of the batch: its weights over all positions up to its own. Called from any thread, each row of a head once.
    /// </summary>
    void ObserveAttention(int layer, int head, int row, ReadOnlySpan<float> weights);
}

using PicoGpt.Architecture;
using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>
/// What a model's first text waits for, done beside the reading of the vocabulary: its weights are read and verified, and, once in a
/// process, the loops are compiled by a run through one layer whose result nobody sees. Whoever needs what cannot be read meets the fault.
/// </summary>
internal static class FirstPass
{
    private static bool _hasPassed;

    /// <summary>Begins, where it was not begun before for the model; ends when the model is closed.</summary>
    public static void Begin(Gpt2Model model) => model.BeginOnce(cancellationToken => Run(model, cancellationToken));

    private static void Run(Gpt2Model model, CancellationToken cancellationToken)
    {
        if (model.Precision != Gpt2Precision.Float32 && !model.IsConverted(model.Precision)) return; // who converts shows how far it is
        using var workspace = new Workspace(model.HyperParameters, threads: 1, Kernels.Best, rows: 2, logits: 1);
        using var forward = new Gpt2Forward(model, workspace);
        if (model.HyperParameters.NCtx < 3 || Interlocked.Exchange(ref _hasPassed, true)) return;
        using KeyValueCache cache = forward.NewCache(capacity: 3);
        RunLastLayer(model.HyperParameters, forward, cache, rows: 2, cancellationToken); // a prompt is read by other loops
        RunLastLayer(model.HyperParameters, forward, cache, rows: 1, cancellationToken);
        _ = Sampler.ArgMax(forward.FirstLogits(0, PackedMatrix.Side)); // all of them are a fifth of the smallest model
    }

    private static void RunLastLayer(Gpt2HyperParameters h, Gpt2Forward forward, KeyValueCache cache, int rows, CancellationToken cancellationToken)
    {
        forward.Begin();
        forward.Add(cache, h.NLayer - 1, new float[rows * h.NEmbd]);
        forward.Run(h.NLayer - 1, cancellationToken);
    }
}

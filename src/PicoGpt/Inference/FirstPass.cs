using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>
/// What a model's first text waits for, done beside the reading of the vocabulary: its weights are read and verified, and, once in a
/// process, a pass whose result nobody sees has the loops compiled. Whoever needs what cannot be read meets the fault.
/// </summary>
internal static class FirstPass
{
    // A pass over greater models takes longer than the compilation that it saves.
    private const long MostParameters = 400_000_000;

    private static bool _hasPassed;

    /// <summary>Begins, where it was not begun before for the model; ends when the model is closed.</summary>
    public static void Begin(Gpt2Model model) => model.BeginOnce(cancellationToken => Run(model, cancellationToken));

    private static void Run(Gpt2Model model, CancellationToken cancellationToken)
    {
        if (model.Precision != Gpt2Precision.Float32 && !model.IsConverted(model.Precision)) return; // who converts shows how far it is
        using var workspace = new Workspace(model.HyperParameters, threads: 1, Kernels.Best, rows: 2);
        using var forward = new Gpt2Forward(model, workspace);
        if (model.HyperParameters.ParameterCount > MostParameters || model.HyperParameters.NCtx < 3 || Interlocked.Exchange(ref _hasPassed, true)) return;
        using KeyValueCache cache = forward.NewCache(capacity: 3);
        using var context = new Gpt2Context(forward, cache);
        context.Forward([0, 0], cancellationToken); // a prompt is read by other loops
        context.Forward([0], cancellationToken);
    }
}

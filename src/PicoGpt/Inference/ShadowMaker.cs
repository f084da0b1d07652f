using PicoGpt.Machine;
using PicoGpt.Weights;

namespace PicoGpt.Inference;

/// <summary>
/// Gets a model's reduced form ready to guess, beside the first steps of a text and on a thread of its own: what is converted already is
/// opened, and what is not is converted where the text to come is long enough to pay for it.
/// </summary>
internal sealed class ShadowMaker : IDisposable
{
    private const Gpt2Precision Precision = Gpt2Precision.Int8;

    // Measured at the shape of 124M: opening takes as long as a few steps, converting as long as 30, and every token then costs half as much.
    private const int MinTokensToOpen = 8;
    private const int MinTokensToConvert = 80;

    private readonly Gpt2Model _model;
    private readonly Gpt2Model _reduced;
    private readonly Workspace _workspace;
    private readonly bool _always;
    private readonly CancellationTokenSource _ending = new();
    private Task? _preparation;
    private bool _isDone;

    private ShadowMaker(Gpt2Model model, Workspace workspace, bool always)
    {
        (_model, _workspace, _always) = (model, workspace, always);
        _reduced = model.WithPrecision(Precision);
    }

    /// <summary>What makes a model's shadow, or <see langword="null"/> where none can pay.</summary>
    /// <param name="model">The model.</param>
    /// <param name="workspace">What the exact pass computes with.</param>
    /// <param name="options">How to generate.</param>
    public static ShadowMaker? For(Gpt2Model model, Workspace workspace, GenerationOptions options) =>
        options.Speculation && options.Interventions.Count == 0 && options.Beams == 1 && !model.IsClone && model.Adapter is null && (options.AlwaysShadow || CanPay(model))
            ? new ShadowMaker(model, workspace, options.AlwaysShadow)
            : null;

    /// <summary>Begins to make the shadow where the text to come is worth it.</summary>
    /// <param name="tokensToCome">How long the text may still become.</param>
    /// <param name="pass">What the exact passes take.</param>
    /// <returns>The shadow, once, when it is ready.</returns>
    public Shadow? Make(int tokensToCome, PassCost pass)
    {
        if (_isDone) return null;
        if (_always) Begin().Wait();
        if (_preparation is null && tokensToCome >= (_model.IsConverted(Precision) ? MinTokensToOpen : MinTokensToConvert)) Begin();
        if (_preparation is not { IsCompleted: true } ended) return null;
        _isDone = true;
        return ended.IsCompletedSuccessfully ? Made(pass) : null;
    }

    public void Dispose()
    {
        _ending.Cancel();
        try
        {
            _preparation?.Wait(CancellationToken.None);
        }
        catch (AggregateException) // nobody needs it any more
        {
        }

        _ending.Dispose();
        _reduced.Dispose(); // a view, which owns nothing
    }

    // What the processor's caches hold is read faster than it could be guessed.
    private static bool CanPay(Gpt2Model model)
    {
        if (model.Precision is Gpt2Precision.Int8 or Gpt2Precision.Int4) return false;
        long reduced = Gpt2MemoryNeed.Of(model.HyperParameters, Precision).Weights;
        return reduced >= PackedWeights.SmallestFile
            && Gpt2MemoryNeed.Of(model.HyperParameters, model.Precision).Weights + reduced <= AvailableMemory.Bytes;
    }

    private Task Begin() => _preparation = Task.Run(() => _reduced.Prepare(null, _ending.Token));

    private Shadow? Made(PassCost pass)
    {
        try
        {
            // Where it is to guess always, no clock decides.
            return new Shadow(new Gpt2Forward(_reduced, _workspace), _always ? new PassCost() : pass, CostBeside(_model.Precision));
        }
        catch (Exception fault) when (fault is Gpt2Exception or ObjectDisposedException or OutOfMemoryException)
        {
            return null; // the text does not depend on it
        }
    }

    // Measured at the shape of 124M.
    private static double CostBeside(Gpt2Precision precision) => precision switch
    {
        Gpt2Precision.Float32 => 0.37,
        Gpt2Precision.Float16 => 0.6,
        _ => 0.75, // BFloat16 is unpacked with the least effort
    };
}

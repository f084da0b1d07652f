using PicoGpt.Machine;
using PicoGpt.Weights;

namespace PicoGpt.Inference;

/// <summary>
/// Gets a model's reduced form ready to guess, after the first token of a text: what is converted already is opened, and what is not is
/// converted beside the next steps, where the text to come is long enough to pay for it.
/// </summary>
internal sealed class ShadowMaker : IDisposable
{
    // Opening takes 15 ms by itself, and many times that beside passes, which it keeps waiting; but the disk may be slow. In ms.
    private const int MostToWait = 100;

    private readonly Gpt2Model _model;
    private readonly Gpt2Model _reduced;
    private readonly Workspace _workspace;
    private readonly Gpt2Precision _precision;
    private readonly bool _always;
    private readonly IForwardHook? _hook;
    private readonly Usual _usual;
    private readonly CancellationTokenSource _ending = new();
    private Task? _preparation;
    private bool _isDone;

    private ShadowMaker(Gpt2Model model, Workspace workspace, GenerationOptions options)
    {
        (_model, _workspace, _precision, _always, _hook) = (model, workspace, options.ShadowPrecision, options.AlwaysShadow, options.ShadowHook);
        _usual = Beside(model.Precision);
        _reduced = model.WithPrecision(_precision);
    }

    /// <summary>What makes a model's shadow, or <see langword="null"/> where none can pay.</summary>
    /// <param name="model">The model.</param>
    /// <param name="workspace">What the exact pass computes with.</param>
    /// <param name="options">How to generate.</param>
    public static ShadowMaker? For(Gpt2Model model, Workspace workspace, GenerationOptions options) =>
        options.Speculation && options.Interventions.Count == 0 && options.Beams == 1 && !model.IsClone && model.Adapter is null && (options.AlwaysShadow || CanPay(model, options.ShadowPrecision))
            ? new ShadowMaker(model, workspace, options)
            : null;

    /// <summary>Begins to make the shadow where the text to come is worth it.</summary>
    /// <param name="tokensToCome">How long the text may still become.</param>
    /// <param name="account">Chooses how far the shadow guesses.</param>
    /// <returns>The shadow, once, when it is ready.</returns>
    public Shadow? Make(int tokensToCome, GuessAccount account)
    {
        if (_isDone) return null;
        if (_preparation is null && !TryBegin(tokensToCome)) return null;
        if (_preparation is not { IsCompleted: true } ended) return null;
        _isDone = true;
        return ended.IsCompletedSuccessfully ? Made(account) : null;
    }

    public void Dispose()
    {
        if (_ending.IsCancellationRequested) return;
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
    private static bool CanPay(Gpt2Model model, Gpt2Precision shadow)
    {
        if (model.Precision is Gpt2Precision.Int8 or Gpt2Precision.Int4) return false;
        long reduced = Gpt2MemoryNeed.Of(model.HyperParameters, shadow).Weights;
        return reduced >= PackedWeights.SmallestFile
            && Gpt2MemoryNeed.Of(model.HyperParameters, model.Precision).Weights + reduced <= AvailableMemory.Bytes;
    }

    private bool TryBegin(int tokensToCome)
    {
        bool isConverted = _model.IsConverted(_precision);
        if (!_always && tokensToCome < (isConverted ? _usual.MinTokensToOpen : _usual.MinTokensToConvert)) return false;
        _preparation = Task.Run(() => _reduced.Prepare(null, _ending.Token));
        if (_always || isConverted) Task.WaitAny([_preparation], _always ? Timeout.Infinite : MostToWait);
        return true;
    }

    private Shadow? Made(GuessAccount account)
    {
        try
        {
            return new Shadow(new Gpt2Forward(_reduced, _workspace) { Hook = _hook }, account, _usual.Cost);
        }
        catch (Exception fault) when (fault is Gpt2Exception or ObjectDisposedException or OutOfMemoryException)
        {
            return null; // the text does not depend on it
        }
    }

    // Measured at the shape of 124M: opening takes one or two steps, converting half a second. A shorter text is not opened for: the account would
    // not risk a guess of one token. Beside the pass over the prompt, opening keeps the first token waiting and gains nothing.
    private static Usual Beside(Gpt2Precision precision) => precision switch
    {
        Gpt2Precision.Float32 => new(0.33, 20, 80),
        Gpt2Precision.Float16 => new(0.5, 28, 240),
        _ => new(0.6, 32, 320), // BFloat16 is unpacked with the least effort
    };

    /// <summary>What a step of the reduced form takes, as a share of an exact one, and from how long a text on it pays to open it, and to convert.</summary>
    private readonly record struct Usual(double Cost, int MinTokensToOpen, int MinTokensToConvert);
}

using PicoGpt.Architecture;
using PicoGpt.Numerics;
using PicoGpt.Weights;

namespace PicoGpt.Inference;

/// <summary>
/// What a first text waits for, done beside what stands before it: the loops are compiled, once in a process, by a rehearsal with a small model
/// whose result nobody sees; and a model's weights are read and verified while its vocabulary is. Whoever needs what cannot be read meets the fault.
/// </summary>
internal static class FirstPass
{
    // Heads as every GPT-2 has them, and enough columns for the widest loops.
    private static readonly Gpt2HyperParameters Small = new(NVocab: 64, NCtx: 16, NEmbd: 64, NHead: 1, NLayer: 1);

    private static int _rehearsed; // a bit for each precision

    /// <summary>The precision in which a model is about to come, as far as somebody has said: what to rehearse where no model is there yet.</summary>
    public static Gpt2Precision Expected { get; set; }

    /// <summary>Begins the rehearsal in a precision, where it was not begun before. No model needs to be known for it.</summary>
    public static void Rehearse(Gpt2Precision precision)
    {
        int bit = 1 << (int)precision;
        if ((Interlocked.Or(ref _rehearsed, bit) & bit) != 0) return;
        _ = Task.Run(() => Run(precision)).ContinueWith(static ended => _ = ended.Exception, TaskScheduler.Default); // whoever runs a model meets the same
    }

    /// <summary>Begins all of it for a model, where it was not begun before; closing the model waits for the reading of its weights.</summary>
    /// <returns>What ends when the weights are read; a first text need not wait for it.</returns>
    public static Task Begin(Gpt2Model model)
    {
        Rehearse(model.Precision);
        return model.BeginOnce(closing => Read(model, closing));
    }

    /// <summary>How much of a model's weights is read and verified, from 0 to 1.</summary>
    public static double ShareOf(Gpt2Model model)
    {
        double read = 0, all = 0;
        foreach (Gpt2Weight weight in model.Parameters)
        {
            all += weight.Count;
            if (weight.IsRead) read += weight.Count;
        }

        return read / all;
    }

    private static void Read(Gpt2Model model, CancellationToken closing)
    {
        if (model.Precision != Gpt2Precision.Float32 && !model.IsConverted(model.Precision)) return; // who converts shows how far it is
        using var pinned = new PinnedParameters(model.Parameters, model.Pack(cancellationToken: closing), adapter: null, closing);
        _ = model.WeightDoubt; // whoever asks finds it looked for
    }

    /// <summary>The rehearsal, of a prompt and a token after it.</summary>
    /// <returns>The likeliest token.</returns>
    internal static int Run(Gpt2Precision precision)
    {
        using var model = Gpt2Model.Random(Small, precision);
        int[] prompt = new int[Kernels.TileRows + 1]; // it is read by other loops than the single token after it
        var generation = new TextGeneration(model, prompt, new GenerationOptions { MaxTokens = 2, Threads = 1 });
        foreach (string _ in generation.Stream())
        {
            // nobody sees it
        }

        return generation.Completion.Ids[^1];
    }
}

using PicoGpt.Architecture;
using PicoGpt.Machine;

namespace PicoGpt.Training;

/// <summary>The memory that a training takes, in bytes; an estimate, a few per cent from the truth.</summary>
/// <param name="Weights">The weights: 4 for each parameter; of an adapter's base they are mapped.</param>
/// <param name="Gradients">Their gradients: 4 for each parameter that is trained.</param>
/// <param name="Moments">The two moments of the gradients: 8 for each parameter that is trained.</param>
/// <param name="Activations">What passes through the model, forward and backward.</param>
public sealed record TrainingMemory(long Weights, long Gradients, long Moments, long Activations)
{
    /// <summary>All of it.</summary>
    public long Total => Weights + Gradients + Moments + Activations;

    /// <summary>What a training needs.</summary>
    /// <param name="h">The model's shape.</param>
    /// <param name="options">How it is trained.</param>
    /// <returns>The estimate.</returns>
    public static TrainingMemory Of(Gpt2HyperParameters h, TrainingOptions options)
    {
        ArgumentNullException.ThrowIfNull(h);
        ArgumentNullException.ThrowIfNull(options);
        long weights = h.ParameterCount * sizeof(float);
        long trained = options.Rank == 0
            ? weights
            : sizeof(float) * Gpt2Architecture.Sum(h, leaf => leaf.Kind == Gpt2LeafKind.Projection ? (long)options.Rank * (leaf.Shape[0] + leaf.Shape[1]) : 0);
        long rows = (long)options.BatchSize * options.LengthFor(h.NCtx), width = h.NEmbd, inner = h.NInner;
        long block = (9 * width) + (2 * inner); // norms, queries, keys and values, heads, additions and the residual between; hidden values twice
        long forward = ((h.NLayer + 2) * width) + ((options.LowMemory ? 1 : h.NLayer) * block) + (2L * h.NLayer * width); // the last: keys and values
        long backward = (6 * width) + inner + Math.Max(inner, width);
        long logits = 2L * Gpt2Backward.LogitsRows * h.NVocab; // and their gradient, some rows at a time
        return new TrainingMemory(options.Rank == 0 ? weights : weights + trained, trained, 2 * trained, ((rows * (forward + backward)) + logits) * sizeof(float));
    }

    /// <summary>Makes sure that this machine has the memory that a training needs.</summary>
    /// <param name="model">The model.</param>
    /// <param name="options">How it is to be trained.</param>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.InsufficientMemory"/>.</exception>
    internal static void Require(Gpt2Model model, TrainingOptions options) =>
        Of(model.HyperParameters, options).Require(model.Name, Of(model.HyperParameters, options with { LowMemory = true }), AvailableMemory.Bytes);

    /// <param name="name">The model's name.</param>
    /// <param name="low">What it takes where blocks are computed again.</param>
    /// <param name="free">The bytes that are free.</param>
    internal void Require(string name, TrainingMemory low, long free)
    {
        if (Total <= free) return;
        string advice = low.Total <= free ? $"with the blocks computed again it takes {MemorySize.Of(low.Total)}"
            : Weights + Gradients + Moments < free ? "take shorter texts, or fewer of them together" : "take a smaller model";
        throw new Gpt2Exception(Gpt2Error.InsufficientMemory, $"Training {name} takes {this}, but only {MemorySize.Of(free)} are free; {advice}.");
    }

    /// <summary>A line with all the numbers.</summary>
    public override string ToString() =>
        $"{MemorySize.Of(Total)} of memory ({MemorySize.Of(Weights)} weights, {MemorySize.Of(Gradients)} gradients, {MemorySize.Of(Moments)} moments, {MemorySize.Of(Activations)} activations)";
}

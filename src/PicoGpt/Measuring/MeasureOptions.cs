using PicoGpt.Architecture;
using PicoGpt.Inference;
using PicoGpt.Machine;
using static PicoGpt.Foundation.Argument;

namespace PicoGpt.Measuring;

/// <summary>How to measure texts.</summary>
public sealed record MeasureOptions
{
    /// <summary>
    /// How many tokens a text that is longer than the context is advanced by at a time, from 1 to <c>n_ctx</c>; 0 for half of
    /// <c>n_ctx</c>. A token that is not in the first context is measured after <c>n_ctx - Stride + 1</c> tokens at least.
    /// </summary>
    public int Stride { get; init; }

    /// <summary>
    /// Begin with the first token instead of with <c>&lt;|endoftext|&gt;</c>. As nothing stands before it, the first token is not
    /// measured then.
    /// </summary>
    public bool NoStartToken { get; init; }

    /// <summary>How many of the likeliest tokens are listed for each token; 0 for none.</summary>
    public int Top { get; init; } = 3;

    /// <summary>What is done, in this order, to what passes through the model; positions count from the beginning of the context.</summary>
    public IReadOnlyList<ForwardChange> Interventions { get; init; } = [];

    /// <summary>Take <c>&lt;|endoftext|&gt;</c> in a text for the special token.</summary>
    public bool AllowSpecial { get; init; }

    /// <summary>Threads to compute with; 0 for one per physical core. The results do not depend on it.</summary>
    public int Threads { get; init; }

    /// <summary>The stride in a model.</summary>
    internal int StrideIn(Gpt2HyperParameters hyperParameters) => Stride == 0 ? Math.Max(hyperParameters.NCtx / 2, 1) : Stride;

    /// <exception cref="Gpt2Exception">A number is out of its range.</exception>
    internal void Validate(Gpt2Model model)
    {
        Gpt2HyperParameters h = model.HyperParameters;
        Require(
            Stride >= 0 && Stride <= h.NCtx,
            $"Stride is {Stride}, but the context of {model.Name} has {h.NCtx} positions; give 1 to {h.NCtx}.");
        Require(Top >= 0 && Top <= h.NVocab, $"Top is {Top}, but {model.Name} has a vocabulary of {h.NVocab}; give 0 to {h.NVocab}.");
        _ = Processors.CountFor(Threads);
    }
}

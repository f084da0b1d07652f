using PicoGpt.Architecture;
using PicoGpt.Inference;

namespace PicoGpt.Tracing;

/// <summary>What of a pass is to be kept. Only that is computed, and only that takes memory.</summary>
public sealed record TraceOptions
{
    /// <summary>Keep the attention patterns of <see cref="Layers"/> and <see cref="Heads"/>.</summary>
    public bool Attention { get; init; }

    /// <summary>Keeps what each layer would say next.</summary>
    public bool LogitLens { get; init; }

    /// <summary>Keeps the norms of the residual stream.</summary>
    public bool Norms { get; init; }

    /// <summary>The activations to keep: names of <see cref="Gpt2Activations.Names"/>.</summary>
    public IReadOnlyCollection<string> Activations { get; init; } = [];

    /// <summary>The layers whose attention and logit lens are kept, from 0; all where it is empty.</summary>
    public IReadOnlyCollection<int> Layers { get; init; } = [];

    /// <summary>The heads whose attention is kept, from 0; all where it is empty.</summary>
    public IReadOnlyCollection<int> Heads { get; init; } = [];

    /// <summary>How many tokens the logit lens keeps of each layer and position; at least 1.</summary>
    public int Top { get; init; } = 5;

    /// <summary>What is done, in this order, to what passes through; the trace keeps what is left by it.</summary>
    public IReadOnlyList<ForwardChange> Interventions { get; init; } = [];

    /// <summary>Take <c>&lt;|endoftext|&gt;</c> in the text for the special token.</summary>
    public bool AllowSpecial { get; init; }

    /// <summary>Threads to compute with; 0 for one per physical core.</summary>
    public int Threads { get; init; }

    /// <summary>Called with the share that is done, from 0 to 1, on the thread that traces.</summary>
    public Action<double>? Progress { get; init; }

    /// <summary>What a trace with these options keeps, in bytes; the model's own memory is not in it.</summary>
    /// <param name="hyperParameters">The model's shape.</param>
    /// <param name="tokens">Tokens of the text.</param>
    /// <returns>The bytes.</returns>
    public long MemoryNeeded(Gpt2HyperParameters hyperParameters, int tokens)
    {
        ArgumentNullException.ThrowIfNull(hyperParameters);
        const int BytesOfLensToken = 64; // with its share of the lists that hold it
        long layers = CountOf(Layers, hyperParameters.NLayer), heads = CountOf(Heads, hyperParameters.NHead), n = tokens;
        long attention = Attention ? layers * heads * n * n * sizeof(float) : 0;
        long lens = LogitLens ? layers * n * (Top + 1L) * BytesOfLensToken : 0;
        long norms = Norms ? (hyperParameters.NLayer + 1L) * n * sizeof(float) : 0;
        long activations = Activations.Distinct().Sum(name => n * Gpt2Activations.WidthOf(name, hyperParameters) * sizeof(float));
        return attention + lens + norms + activations;
    }

    /// <exception cref="Gpt2Exception">The model has no such layer, head or activation, or <see cref="Top"/> is out of its range.</exception>
    internal void Validate(Gpt2Model model)
    {
        Gpt2HyperParameters h = model.HyperParameters;
        ValidateIndices(model, Layers, h.NLayer, "layers");
        ValidateIndices(model, Heads, h.NHead, "heads");
        if (Top < 1 || Top > h.NVocab)
        {
            throw new Gpt2Exception(
                Gpt2Error.InvalidArgument,
                $"The logit lens cannot keep {Top} tokens: {model.Name} has a vocabulary of {h.NVocab}; give 1 to {h.NVocab}.");
        }

        string? unknown = Activations.Except(Gpt2Activations.Names(h)).FirstOrDefault();
        if (unknown is null) return;
        throw new Gpt2Exception(
            Gpt2Error.InvalidArgument,
            $"{model.Name} has no activation named '{unknown}'; its names are like 'h0/resid_pre', 'h0/attn/q', 'h0/attn', 'h0/mlp/gelu' "
                + $"and 'ln_f', and its layers are h0 to h{h.NLayer - 1}.");
    }

    /// <summary>How many are chosen of all.</summary>
    internal static int CountOf(IReadOnlyCollection<int> chosen, int all) => chosen.Count == 0 ? all : chosen.Distinct().Count();

    private static void ValidateIndices(Gpt2Model model, IReadOnlyCollection<int> indices, int count, string what)
    {
        foreach (int index in indices)
        {
            if ((uint)index < (uint)count) continue;
            throw new Gpt2Exception(
                Gpt2Error.InvalidArgument,
                $"There is no {what[..^1]} {index} in {model.Name}, which has {count} {what}; give numbers from 0 to {count - 1}.");
        }
    }
}

using System.Buffers;
using PicoGpt.Architecture;
using PicoGpt.Checkpoints;

namespace PicoGpt.Weights;

/// <summary>Finds the tensors of a GPT-2 among those of a checkpoint.</summary>
internal static class TensorMatch
{
    private const int MostNamed = 60;
    private const string Embedding = "wte";
    private const string OutputProjection = "lm_head";

    /// <summary>
    /// The hyperparameters as the tensors bear them out: a checkpoint without a single bias is of a model that has none, and one whose
    /// output projection differs from its embedding is of a model in which it is a matrix of its own.
    /// </summary>
    public static Gpt2HyperParameters Fit(ITensorSource source, Gpt2HyperParameters hyperParameters)
    {
        (Dictionary<string, StoredTensor> tensors, WeightNaming naming) = Named(source);
        bool hasBias = Gpt2Architecture.Leaves(hyperParameters).Any(leaf => leaf.Kind == Gpt2LeafKind.Bias && tensors.ContainsKey(naming.Of(leaf.Name)));
        bool isTied = hyperParameters.TieWordEmbeddings
            && !(tensors.TryGetValue(naming.Of(Embedding), out StoredTensor? embedding)
                && tensors.TryGetValue(naming.Of(OutputProjection), out StoredTensor? output)
                && !HaveSameElements(embedding, output));
        return hyperParameters with { Bias = hasBias, TieWordEmbeddings = isTied };
    }

    /// <summary>The weights by name.</summary>
    /// <exception cref="Gpt2Exception">Tensors are missing, misshapen or surplus; the message names them.</exception>
    public static Dictionary<string, Gpt2Weight> Leaves(ITensorSource source, Gpt2HyperParameters hyperParameters)
    {
        (Dictionary<string, StoredTensor> tensors, WeightNaming naming) = Named(source);
        Dictionary<string, Gpt2Weight> weights = [];
        HashSet<string> used = new(StringComparer.Ordinal) { naming.Of(OutputProjection) };
        List<string> missing = [], misshapen = [];
        foreach (Gpt2Leaf leaf in Gpt2Architecture.Leaves(hyperParameters))
        {
            string name = naming.Of(leaf.Name);
            if (leaf.Name == Embedding && hyperParameters.TieWordEmbeddings && !tensors.ContainsKey(name) && tensors.ContainsKey(naming.Of(OutputProjection)))
                name = naming.Of(OutputProjection); // of the two names of one matrix, some writers keep this one
            if (!tensors.TryGetValue(name, out StoredTensor? tensor)) missing.Add(name);
            else if (Misfit(tensor, leaf.Shape) is { } misfit) misshapen.Add(misfit);
            else weights.Add(leaf.Name, new Gpt2Weight(tensor, leaf));
            used.Add(name);
        }

        List<string> surplus = missing.Count + misshapen.Count == 0
            ? [.. tensors.Keys.Where(name => !used.Contains(name) && !naming.MayLieBeside(name, used))]
            : [];
        return missing.Count + misshapen.Count + surplus.Count == 0
            ? weights
            : throw Mismatch(source.Location, hyperParameters, missing, misshapen, surplus);
    }

    private static (Dictionary<string, StoredTensor> Tensors, WeightNaming Naming) Named(ITensorSource source)
    {
        Dictionary<string, StoredTensor> tensors = source.Tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
        return (tensors, source.Naming ?? WeightNaming.Of(tensors.Keys.ToHashSet(StringComparer.Ordinal)));
    }

    private static bool HaveSameElements(StoredTensor left, StoredTensor right)
    {
        if (left.DType != right.DType || left.Shape != right.Shape) return false;
        ReadOnlyMemory<byte> leftBytes = left.GetBytes(), rightBytes = right.GetBytes();
        using MemoryHandle leftHold = leftBytes.Pin(), rightHold = rightBytes.Pin();
        return leftBytes.Span.SequenceEqual(rightBytes.Span);
    }

    private static string? Misfit(StoredTensor tensor, int[] shape)
    {
        if (!tensor.DType.IsFloat())
            return $"{tensor.Name} of type {tensor.DType} (expected Float32)";

        // OpenAI's code keeps projections as 1-D convolutions of width 1: [1, in, out].
        IEnumerable<long> squeezed = tensor.Shape.Rank == shape.Length + 1 && tensor.Shape.Dimensions[0] == 1
            ? tensor.Shape.Dimensions.Skip(1)
            : tensor.Shape.Dimensions;
        return squeezed.SequenceEqual(shape.Select(d => (long)d)) ? null : $"{tensor.Name} {tensor.Shape} (expected [{string.Join(", ", shape)}])";
    }

    private static Gpt2Exception Mismatch(
        string location, Gpt2HyperParameters h, List<string> missing, List<string> misshapen, List<string> surplus)
    {
        List<string> parts = [];
        if (missing.Count > 0) parts.Add("missing: " + Names(missing));
        if (misshapen.Count > 0) parts.Add("misshapen: " + Names(misshapen));
        if (surplus.Count > 0) parts.Add("surplus: " + Names(surplus));
        return new Gpt2Exception(
            Gpt2Error.WrongArchitecture,
            $"'{location}' does not fit a GPT-2 of n_vocab {h.NVocab}, n_ctx {h.NCtx}, n_embd {h.NEmbd}, n_layer {h.NLayer}; "
                + $"{string.Join("; ", parts)}. Give the {Gpt2HyperParameters.FileName} that belongs to this checkpoint.",
            location);
    }

    private static string Names(List<string> names) =>
        names.Count <= MostNamed
            ? string.Join(", ", names)
            : $"{string.Join(", ", names.Take(MostNamed))} and {names.Count - MostNamed} more";
}

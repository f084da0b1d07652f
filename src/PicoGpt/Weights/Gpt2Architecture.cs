using PicoGpt.Checkpoints;

namespace PicoGpt.Weights;

/// <summary>What tensors a GPT-2 of given hyperparameters consists of, and whether a checkpoint has them.</summary>
internal static class Gpt2Architecture
{
    /// <summary>The variable scope that OpenAI's code puts before every name.</summary>
    public const string Scope = "model/";

    private const int MostNamed = 60;

    /// <summary>The names without their scope and the squeezed shapes of all tensors, in the order of the model.</summary>
    public static IEnumerable<(string Name, int[] Shape)> Tensors(Gpt2HyperParameters h)
    {
        int n = h.NEmbd;
        yield return ("wte", [h.NVocab, n]);
        yield return ("wpe", [h.NCtx, n]);
        for (int i = 0; i < h.NLayer; i++)
        {
            yield return ($"h{i}/ln_1/g", [n]);
            yield return ($"h{i}/ln_1/b", [n]);
            yield return ($"h{i}/attn/c_attn/w", [n, 3 * n]);
            yield return ($"h{i}/attn/c_attn/b", [3 * n]);
            yield return ($"h{i}/attn/c_proj/w", [n, n]);
            yield return ($"h{i}/attn/c_proj/b", [n]);
            yield return ($"h{i}/ln_2/g", [n]);
            yield return ($"h{i}/ln_2/b", [n]);
            yield return ($"h{i}/mlp/c_fc/w", [n, 4 * n]);
            yield return ($"h{i}/mlp/c_fc/b", [4 * n]);
            yield return ($"h{i}/mlp/c_proj/w", [4 * n, n]);
            yield return ($"h{i}/mlp/c_proj/b", [n]);
        }

        yield return ("ln_f/g", [n]);
        yield return ("ln_f/b", [n]);
    }

    /// <summary>The leaves by name.</summary>
    /// <exception cref="Gpt2Exception">Tensors are missing, misshapen or surplus; the message names them.</exception>
    public static Dictionary<string, Gpt2Weight> Match(TensorBundle bundle, Gpt2HyperParameters hyperParameters)
    {
        Dictionary<string, Gpt2Weight> leaves = [];
        List<string> missing = [], misshapen = [];
        foreach ((string name, int[] shape) in Tensors(hyperParameters))
        {
            if (!bundle.TryGetEntry(Scope + name, out TensorEntry? entry)) missing.Add(Scope + name);
            else if (Misfit(entry, shape) is { } misfit) misshapen.Add(misfit);
            else leaves.Add(name, new Gpt2Weight(bundle, entry, name, shape));
        }

        List<string> surplus = missing.Count + misshapen.Count == 0
            ? [.. bundle.Entries.Select(e => e.Name).Where(name => IsSurplus(name, leaves))]
            : [];
        if (missing.Count + misshapen.Count + surplus.Count > 0) throw Mismatch(bundle, hyperParameters, missing, misshapen, surplus);
        return leaves;
    }

    private static string? Misfit(TensorEntry entry, int[] shape)
    {
        if (entry.DType is not (TensorDType.Float32 or TensorDType.Float16 or TensorDType.BFloat16 or TensorDType.Float64))
            return $"{entry.Name} of type {entry.DType} (expected Float32)";

        // OpenAI's code keeps projections as 1-D convolutions of width 1: [1, in, out].
        IEnumerable<long> squeezed = entry.Shape.Rank == shape.Length + 1 && entry.Shape.Dimensions[0] == 1
            ? entry.Shape.Dimensions.Skip(1)
            : entry.Shape.Dimensions;
        return squeezed.SequenceEqual(shape.Select(d => (long)d)) ? null : $"{entry.Name} {entry.Shape} (expected [{string.Join(", ", shape)}])";
    }

    // An optimizer's slot stands below the weight that it belongs to: model/wte/Adam_1.
    private static bool IsSurplus(string name, Dictionary<string, Gpt2Weight> leaves)
    {
        if (!name.StartsWith(Scope, StringComparison.Ordinal)) return false;
        string inScope = name[Scope.Length..];
        for (int end = inScope.Length; end > 0; end = inScope.LastIndexOf('/', end - 1))
        {
            if (leaves.ContainsKey(inScope[..end])) return false;
        }

        return true;
    }

    private static Gpt2Exception Mismatch(
        TensorBundle bundle, Gpt2HyperParameters h, List<string> missing, List<string> misshapen, List<string> surplus)
    {
        List<string> parts = [];
        if (missing.Count > 0) parts.Add("missing: " + Names(missing));
        if (misshapen.Count > 0) parts.Add("misshapen: " + Names(misshapen));
        if (surplus.Count > 0) parts.Add("surplus: " + Names(surplus));
        return new Gpt2Exception(
            Gpt2Error.WrongArchitecture,
            $"'{bundle.Prefix}' does not fit a GPT-2 of n_vocab {h.NVocab}, n_ctx {h.NCtx}, n_embd {h.NEmbd}, n_layer {h.NLayer}; "
                + $"{string.Join("; ", parts)}. Give the {Gpt2HyperParameters.FileName} that belongs to this checkpoint.",
            bundle.Prefix);
    }

    private static string Names(List<string> names) =>
        names.Count <= MostNamed
            ? string.Join(", ", names)
            : $"{string.Join(", ", names.Take(MostNamed))} and {names.Count - MostNamed} more";
}

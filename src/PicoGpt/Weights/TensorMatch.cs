using PicoGpt.Architecture;
using PicoGpt.Checkpoints;
using PicoGpt.Files;

namespace PicoGpt.Weights;

/// <summary>Finds the tensors of a GPT-2 among those of a checkpoint.</summary>
internal static class TensorMatch
{
    private const string Embedding = "wte";
    private const string OutputProjection = "lm_head";
    private const int PieceLength = 16 * 1024 * 1024;

    /// <summary>The naming that the tensors of a checkpoint follow.</summary>
    public static WeightNaming NamingOf(ITensorSource source) =>
        source.Naming ?? WeightNaming.Of(source.Tensors.ToDictionary(tensor => tensor.Name, tensor => tensor.Shape.Dimensions, StringComparer.Ordinal));

    /// <summary>
    /// The hyperparameters, confirmed by the tensors: a checkpoint without a single bias is of a model that has none, and one whose
    /// output projection differs from its embedding is of a model in which it is a matrix of its own.
    /// </summary>
    public static Gpt2HyperParameters Fit(ITensorSource source, Gpt2HyperParameters hyperParameters, CancellationToken cancellationToken)
    {
        (Dictionary<string, StoredTensor> tensors, WeightNaming naming) = Named(source);
        bool hasBias = Gpt2Architecture.Leaves(hyperParameters).Any(leaf => leaf.Kind == Gpt2LeafKind.Bias && tensors.ContainsKey(naming.Of(leaf.Name)));
        bool isTied = hyperParameters.TieWordEmbeddings
            && !(tensors.TryGetValue(naming.Of(Embedding), out StoredTensor? embedding)
                && tensors.TryGetValue(naming.Of(OutputProjection), out StoredTensor? output)
                && !HaveSameElements(embedding, output, cancellationToken));
        return hyperParameters with { Bias = hasBias, TieWordEmbeddings = isTied };
    }

    /// <summary>The weights by name, and the names of tensors that are not a part of the model.</summary>
    /// <exception cref="Gpt2Exception">Tensors are missing, misshapen or surplus; the message names them.</exception>
    public static (Dictionary<string, Gpt2Weight> Weights, IReadOnlyList<string> LeftOut) Leaves(ITensorSource source, Gpt2HyperParameters hyperParameters)
    {
        (Dictionary<string, StoredTensor> tensors, WeightNaming naming) = Named(source);
        Gpt2Leaf[] leaves = [.. Gpt2Architecture.Leaves(hyperParameters)];
        bool lacks = !leaves.Any(leaf => naming.MayLack(leaf.Name) && naming.PartsOf(leaf.Name).Any(tensors.ContainsKey));
        Dictionary<string, Gpt2Weight> weights = [];
        HashSet<string> used = new(StringComparer.Ordinal) { naming.Of(OutputProjection) };
        List<string> missing = [], misshapen = [];
        foreach (Gpt2Leaf leaf in leaves)
        {
            IReadOnlyList<string> parts = PartsOf(leaf);
            used.UnionWith(parts);
            if (lacks && naming.MayLack(leaf.Name))
            {
                weights.Add(leaf.Name, new Gpt2Weight(new ZeroTensor(parts[0], new TensorShape([.. leaf.Shape.Select(d => (long)d)])), leaf));
                continue;
            }

            string[] absent = [.. parts.Where(part => !tensors.ContainsKey(part))];
            missing.AddRange(absent);
            if (absent.Length > 0) continue;

            StoredTensor tensor = parts.Count == 1 ? tensors[parts[0]] : JoinedTensor.Of([.. parts.Select(part => tensors[part])], source.Location);
            bool isTransposed = naming.IsTransposed(leaf.Name) && tensor.Shape.Rank == 2;
            if (Misfit(tensor, isTransposed ? [leaf.Shape[1], leaf.Shape[0]] : leaf.Shape) is { } misfit) misshapen.Add(misfit);
            else weights.Add(leaf.Name, new Gpt2Weight(isTransposed ? TransposedTensor.Of(tensor) : tensor, leaf));
        }

        List<string> rest = [.. tensors.Keys.Where(name => !used.Contains(name))];
        List<string> surplus = rest.FindAll(name => !naming.MayLieBeside(name, used));
        return missing.Count + misshapen.Count + surplus.Count == 0
            ? (weights, rest.FindAll(name => !naming.IsMask(name)))
            : throw new TensorMismatch(source, hyperParameters, missing, misshapen, surplus).ToException();

        // Of the two names of one matrix, some writers keep the second.
        IReadOnlyList<string> PartsOf(Gpt2Leaf leaf)
        {
            bool isOnlyOutput = leaf.Name == Embedding && hyperParameters.TieWordEmbeddings
                && !tensors.ContainsKey(naming.Of(Embedding)) && tensors.ContainsKey(naming.Of(OutputProjection));
            return naming.PartsOf(isOnlyOutput ? OutputProjection : leaf.Name);
        }
    }

    private static (Dictionary<string, StoredTensor> Tensors, WeightNaming Naming) Named(ITensorSource source) =>
        (source.Tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal), NamingOf(source));

    private static bool HaveSameElements(StoredTensor left, StoredTensor right, CancellationToken cancellationToken)
    {
        if (left.DType != right.DType || left.Shape != right.Shape) return false;
        IReadOnlyList<StoredTensor> leftPortions = left.Portions(), rightPortions = right.Portions();
        return leftPortions.Count == rightPortions.Count
            ? leftPortions.Zip(rightPortions).All(pair => HaveSameBytes(pair.First, pair.Second, cancellationToken))
            : HaveSameBytes(left, right, cancellationToken);
    }

    private static bool HaveSameBytes(StoredTensor left, StoredTensor right, CancellationToken cancellationToken)
    {
        using var leftBytes = new HeldMemory<byte>(left.GetBytes());
        using var rightBytes = new HeldMemory<byte>(right.GetBytes());
        bool isSame = true;
        for (int from = 0, length; isSame && from < leftBytes.Span.Length; from += length)
        {
            cancellationToken.ThrowIfCancellationRequested();
            length = Math.Min(PieceLength, leftBytes.Span.Length - from);
            isSame = leftBytes.Span.Slice(from, length).SequenceEqual(rightBytes.Span.Slice(from, length));
        }

        return leftBytes.IfUnchanged(rightBytes.IfUnchanged(isSame));
    }

    private static string? Misfit(StoredTensor tensor, int[] shape)
    {
        if (!tensor.DType.IsFloat())
            return $"{tensor.Name} of type {tensor.DType.DisplayName()}{TensorMismatch.OfWholeNumbers}";

        // OpenAI's code keeps projections as 1-D convolutions of width 1: [1, in, out].
        IEnumerable<long> squeezed = tensor.Shape.Rank == shape.Length + 1 && tensor.Shape.Dimensions[0] == 1
            ? tensor.Shape.Dimensions.Skip(1)
            : tensor.Shape.Dimensions;
        return squeezed.SequenceEqual(shape.Select(d => (long)d)) ? null : $"{tensor.Name} {tensor.Shape} (expected [{string.Join(", ", shape)}])";
    }
}

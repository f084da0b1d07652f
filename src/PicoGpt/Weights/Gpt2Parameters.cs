using PicoGpt.Adapters;
using PicoGpt.Architecture;
using PicoGpt.Checkpoints;

namespace PicoGpt.Weights;

/// <summary>
/// The weights as the tree that the architecture has, by the checkpoint's own names; enumerating it lists the leaves in
/// the order in which the model uses them.
/// </summary>
public sealed class Gpt2Parameters : Gpt2Tree<Gpt2Weight>
{
    private Gpt2Parameters(Gpt2HyperParameters hyperParameters, Dictionary<string, Gpt2Weight> weights, IReadOnlyList<string> leftOut)
        : base(hyperParameters, leaf => weights[leaf.Name]) => LeftOut = leftOut;

    /// <summary>The checkpoint's names for tensors beside the model's, such as an optimizer's or a value head's, which are not used.</summary>
    internal IReadOnlyList<string> LeftOut { get; }

    /// <summary>What tells the model from another of its shape, as its gains and biases do; see <see cref="BaseModelDigest"/>.</summary>
    internal string? VectorDigest =>
        BaseModelDigest.Of(this.Where(weight => weight.Leaf.Kind is Gpt2LeafKind.Gain or Gpt2LeafKind.Bias).Select(weight => (weight.Name, weight.Stored)));

    /// <summary>Lays a checkpoint's tensors out as the tree.</summary>
    /// <exception cref="Gpt2Exception">Tensors are missing, misshapen or surplus; the message names them.</exception>
    internal static Gpt2Parameters Load(ITensorSource source, Gpt2HyperParameters hyperParameters, CancellationToken cancellationToken = default)
    {
        Gpt2HyperParameters fitted = TensorMatch.Fit(source, hyperParameters, cancellationToken);
        (Dictionary<string, Gpt2Weight> weights, IReadOnlyList<string> leftOut) = TensorMatch.Leaves(source, fitted);
        return new Gpt2Parameters(fitted, weights, leftOut);
    }
}

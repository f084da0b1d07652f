using PicoGpt.Architecture;
using PicoGpt.Checkpoints;
using PicoGpt.Numerics;

namespace PicoGpt.Weights;

/// <summary>
/// The weights that a GPT-2 begins with, as OpenAI's <c>model.py</c> draws them: normal, with a standard deviation of 0.02, of positions 0.01;
/// biases are 0 and gains 1. Projections into the residual stream are divided by √(2 n_layer), as the paper says (A. Radford et al.,
/// "Language Models are Unsupervised Multitask Learners", 2019, 2.3), which the published code leaves out.
/// </summary>
internal static class WeightInitialization
{
    private const double Deviation = 0.02, PositionDeviation = 0.01;

    /// <summary>Draws all weights; the same seed gives the same bits on every machine.</summary>
    public static IReadOnlyList<MemoryTensor> Draw(Gpt2HyperParameters h, ulong seed)
    {
        var normal = new NormalRandom(seed);
        List<MemoryTensor> tensors = [];
        foreach (Gpt2Leaf leaf in Gpt2Architecture.Leaves(h))
        {
            var tensor = new MemoryTensor(WeightNaming.TensorFlow.Of(leaf.Name), TensorShape.Of(leaf.Shape));
            Span<float> values = tensor.Values.Span;
            double deviation = DeviationOf(leaf, h);
            if (leaf.Kind == Gpt2LeafKind.Gain) values.Fill(1f);
            for (int i = 0; deviation > 0 && i < values.Length; i++) values[i] = (float)(deviation * normal.Next());
            tensors.Add(tensor);
        }

        return tensors;
    }

    private static double DeviationOf(Gpt2Leaf leaf, Gpt2HyperParameters h) => leaf.Kind switch
    {
        Gpt2LeafKind.Gain or Gpt2LeafKind.Bias => 0,
        Gpt2LeafKind.PositionEmbedding => PositionDeviation,
        Gpt2LeafKind.Projection when leaf.Name.EndsWith("/c_proj/w", StringComparison.Ordinal) => Deviation / Math.Sqrt(2.0 * h.NLayer),
        _ => Deviation,
    };
}

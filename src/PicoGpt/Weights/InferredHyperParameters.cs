using PicoGpt.Architecture;
using PicoGpt.Checkpoints;

namespace PicoGpt.Weights;

/// <summary>The hyperparameters of a checkpoint that has no file of them.</summary>
internal static class InferredHyperParameters
{
    // the width of a head in every model that OpenAI published
    private const int HeadSize = 64;

    /// <summary>
    /// Reads the numbers from the shapes of a checkpoint's tensors. They do not tell the number of heads: that is a known model's which
    /// has the other numbers, or follows from OpenAI's head size of 64.
    /// </summary>
    public static Gpt2HyperParameters Of(ITensorSource source, IEnumerable<Gpt2HyperParameters> known)
    {
        Dictionary<string, TensorShape> shapes = source.Tensors.ToDictionary(tensor => tensor.Name, tensor => tensor.Shape, StringComparer.Ordinal);
        WeightNaming naming = source.Naming ?? WeightNaming.Of(shapes.Keys.ToHashSet(StringComparer.Ordinal));
        TensorShape wte = Matrix(shapes.ContainsKey(naming.Of("lm_head")) ? "lm_head" : "wte"), wpe = Matrix("wpe");
        int layers = 0;
        while (shapes.ContainsKey(naming.Of($"h{layers}/ln_1/g"))) layers++;
        var numbers = new Gpt2HyperParameters(Checked(wte[0]), Checked(wpe[0]), Checked(wte[1]), NHead: 1, layers);
        if (shapes.TryGetValue(naming.Of("h0/mlp/c_fc/w"), out TensorShape? up) && up.Rank > 0)
            numbers = numbers with { NInner = Checked(up[up.Rank - 1]) };
        if (known.FirstOrDefault(other => other with { NHead = 1 } == numbers) is { } same) return same;
        if (wte[1] % HeadSize == 0) return (numbers with { NHead = numbers.NEmbd / HeadSize }).Validate(source.Location);
        throw new Gpt2Exception(
            Gpt2Error.WrongArchitecture,
            $"'{source.Location}' has no {Gpt2HyperParameters.FileName} beside it, and n_head cannot be told from n_embd = {wte[1]}, "
                + $"which is no multiple of OpenAI's head size {HeadSize}; add a {Gpt2HyperParameters.FileName}.",
            source.Location);

        TensorShape Matrix(string weight) => shapes.TryGetValue(naming.Of(weight), out TensorShape? shape) && shape.Rank == 2
            ? shape
            : throw new Gpt2Exception(
                Gpt2Error.WrongArchitecture,
                $"'{source.Location}' is no GPT-2 checkpoint: it has no tensor '{naming.Of(weight)}' of two dimensions.",
                source.Location);
    }

    private static int Checked(long value) => (int)Math.Min(value, int.MaxValue);
}

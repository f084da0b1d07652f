using PicoGpt.Architecture;
using PicoGpt.Checkpoints;
using PicoGpt.Files;

namespace PicoGpt.Weights;

/// <summary>The hyperparameters of a checkpoint that has no file of them.</summary>
internal static class InferredHyperParameters
{
    // the width of a head in every model that OpenAI published
    private const int HeadSize = 64;

    /// <summary>
    /// Reads the numbers from the shapes of a checkpoint's tensors. They do not tell the number of heads: that is the one that is given, or
    /// a known model's which has the other numbers, or else an assumption, by OpenAI's head size of 64.
    /// </summary>
    /// <param name="source">The tensors.</param>
    /// <param name="known">Models that the checkpoint may be one of.</param>
    /// <param name="headCount">The number of heads, where it is known.</param>
    /// <returns>The numbers, and what was assumed in a sentence that says why.</returns>
    /// <exception cref="Gpt2Exception">The tensors are not a GPT-2's, or nothing can be assumed.</exception>
    public static (Gpt2HyperParameters Numbers, string? Assumption) Of(ITensorSource source, IEnumerable<Gpt2HyperParameters> known, int? headCount)
    {
        Gpt2HyperParameters numbers = NumbersOf(source);
        if (headCount is { } heads) return ((numbers with { NHead = heads }).Validate(source.Location), null);
        if (known.FirstOrDefault(other => other with { NHead = 1 } == numbers) is { } same) return (same, null);
        string why = $"'{source.Location}' does not tell the number of heads, and there is no {HuggingFaceConfig.FileName} or {Gpt2HyperParameters.FileName} beside it{RenameClause(source.Location)}";
        if (numbers.NEmbd % HeadSize != 0)
        {
            throw new Gpt2Exception(
                Gpt2Error.UnknownHeadCount,
                $"{why}; n_embd = {numbers.NEmbd} is not a multiple of OpenAI's head size {HeadSize}, so that none can be assumed. "
                    + $"Give the number, or add the model's {HuggingFaceConfig.FileName} or {Gpt2HyperParameters.FileName}.",
                source.Location);
        }

        numbers = (numbers with { NHead = numbers.NEmbd / HeadSize }).Validate(source.Location);
        return (numbers, $"{why}; {numbers.NHead} are assumed, which have OpenAI's head size {HeadSize}. If the model has others, its results are wrong: give their number.");
    }

    // Windows hides the ends of names: a config.json that was saved as a text is config.json.txt.
    private static string RenameClause(string location)
    {
        string[] wanted = [HuggingFaceConfig.FileName, Gpt2HyperParameters.FileName];
        if (Path.GetDirectoryName(location) is not { } folder || !Directory.Exists(folder)) return "";
        string[] like = [.. ReadableFolder.Files(folder, "*").Select(path => Path.GetFileName(path)).Where(name => wanted.Any(file => IsLike(name, file))).Order(StringComparer.Ordinal)];
        return like.Length == 0 ? "" : $" (rename {Excerpt.Quoted(like)}, if that is it)";
    }

    // config.json.txt, config (1).json
    private static bool IsLike(string name, string file)
    {
        string stem = Path.GetFileNameWithoutExtension(file), end = Path.GetExtension(file);
        return name.StartsWith(file + ".", StringComparison.OrdinalIgnoreCase)
            || (name.StartsWith(stem + " ", StringComparison.OrdinalIgnoreCase) && name.EndsWith(end, StringComparison.OrdinalIgnoreCase));
    }

    private static Gpt2HyperParameters NumbersOf(ITensorSource source)
    {
        Dictionary<string, TensorShape> shapes = source.Tensors.ToDictionary(tensor => tensor.Name, tensor => tensor.Shape, StringComparer.Ordinal);
        WeightNaming naming = TensorMatch.NamingOf(source);
        TensorShape wte = Matrix(shapes.ContainsKey(naming.Of("lm_head")) ? "lm_head" : "wte"), wpe = Matrix("wpe");
        int layers = 0;
        while (shapes.ContainsKey(naming.Of($"h{layers}/ln_1/g"))) layers++;
        var numbers = new Gpt2HyperParameters(Checked(wte[0]), Checked(wpe[wpe.Rank - 2]), Checked(wte[1]), NHead: 1, layers) { Activation = naming.Activation };
        const string Up = "h0/mlp/c_fc/w"; // [in, out], or [out, in]
        return shapes.TryGetValue(naming.Of(Up), out TensorShape? up) && up.Rank > 1
            ? numbers with { NInner = Checked(up[naming.IsTransposed(Up) ? 0 : up.Rank - 1]) }
            : numbers;

        TensorShape Matrix(string weight) => shapes.TryGetValue(naming.Of(weight), out TensorShape? shape)
            && (shape.Rank == 2 || (shape.Rank == 3 && shape[0] == 1))
            ? shape
            : throw TensorMismatch.Recognize(source) ?? new Gpt2Exception(
                Gpt2Error.WrongArchitecture,
                $"'{source.Location}' is not a GPT-2 checkpoint: it has no tensor '{naming.Of(weight)}' of two dimensions, but "
                    + (shapes.Count == 0 ? "no tensor at all." : $"{Excerpt.Of(shapes.Keys)}."),
                source.Location);
    }

    private static int Checked(long value) => (int)Math.Min(value, int.MaxValue);
}

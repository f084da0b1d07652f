using PicoGpt.Architecture;
using PicoGpt.Checkpoints;

namespace PicoGpt.Weights;

/// <summary>What keeps the tensors of a checkpoint from being a GPT-2 of a shape.</summary>
/// <param name="source">The tensors.</param>
/// <param name="hyperParameters">The shape.</param>
/// <param name="missing">The names of missing tensors.</param>
/// <param name="misshapen">Tensors that are there in another shape or type, and what was expected.</param>
/// <param name="surplus">The names of tensors that a GPT-2 does not have.</param>
internal sealed class TensorMismatch(
    ITensorSource source, Gpt2HyperParameters hyperParameters, List<string> missing, List<string> misshapen, List<string> surplus)
{
    /// <summary>What follows the name and type of a tensor that does not hold real numbers.</summary>
    public const string OfWholeNumbers = " (expected Float32)";

    // By the names of what stands in place of a weight: AutoGPTQ and AutoAWQ, bitsandbytes in 4 and in 8 bits, adapters of PEFT, the objects of
    // Keras and tf.Module.
    private static readonly (string Mark, string What, string Advice)[] Known =
    [
        (".qweight", "weights that GPTQ or AWQ packed into few bits", "give the model that was quantized, or a GGUF file of it"),
        (".weight.quant_state.", "weights that bitsandbytes packed into 4 bits", "give the model that was quantized, or a GGUF file of it"),
        (".SCB", "weights that bitsandbytes packed into 8 bits", "give the model that was quantized, or a GGUF file of it"),
        (".lora_A.", "an adapter of LoRA", "merge it into its model with PEFT's merge_and_unload, save that, and give the folder"),
        ("/.ATTRIBUTES/", "objects of TensorFlow 2", "open it in Python with transformers, save the model with save_pretrained, and give that folder"),
        (".crossattention.", "the cross-attention of a decoder", "a model that computes differently from GPT-2 is not run"),
    ];

    /// <summary>The fault: what the tensors are where they are known, otherwise which of them are missing, misshapen or surplus.</summary>
    public Gpt2Exception ToException()
    {
        if (Recognize(source) is { } known) return known;
        List<string> parts = [];
        if (missing.Count > 0) parts.Add("missing: " + Excerpt.Of(missing));
        if (misshapen.Count > 0) parts.Add("misshapen: " + Excerpt.Of(misshapen));
        if (surplus.Count > 0) parts.Add((missing.Count > 0 ? "there instead: " : "surplus: ") + Excerpt.Of(surplus));
        Gpt2HyperParameters h = hyperParameters;
        return new Gpt2Exception(
            Gpt2Error.WrongArchitecture,
            $"'{source.Location}' does not fit a GPT-2 of n_vocab {h.NVocab}, n_ctx {h.NCtx}, n_embd {h.NEmbd}, n_layer {h.NLayer}; "
                + $"{string.Join("; ", parts)}. {Advice()}",
            source.Location);
    }

    /// <summary>The fault of tensors that are known by their names; <see langword="null"/> of others.</summary>
    public static Gpt2Exception? Recognize(ITensorSource source)
    {
        foreach ((string mark, string what, string advice) in Known)
        {
            if (source.Tensors.FirstOrDefault(tensor => tensor.Name.Contains(mark, StringComparison.Ordinal)) is { } tensor)
                return new Gpt2Exception(Gpt2Error.Unsupported, $"'{source.Location}' holds {what}, such as '{tensor.Name}'; {advice}.", source.Location);
        }

        return null;
    }

    private bool HasFurtherLayers()
    {
        string next = TensorMatch.NamingOf(source).Of($"h{hyperParameters.NLayer}/ln_1/g");
        return surplus.Contains(next);
    }

    private string Advice()
    {
        if (misshapen.Exists(name => name.EndsWith(OfWholeNumbers, StringComparison.Ordinal)))
            return "Weights in whole numbers need the scales of the program that made them; give the model that was quantized, or a GGUF file of it.";
        if (missing.Count > 0 && ShardIndex.NameFor(source.Location) is { } index) return $"It is one file of several: give the folder of all of them, with '{index}'.";
        if (missing.Count + misshapen.Count == 0 && !HasFurtherLayers()) return "A model that has more than GPT-2 is not run.";
        string? folder = source.DataFiles.Count == 0 ? null : Path.GetDirectoryName(source.Location);
        string[] files = [HuggingFaceConfig.FileName, Gpt2HyperParameters.FileName];
        return folder is null || source.HyperParameters is not null || Array.Find(files, file => File.Exists(Path.Combine(folder, file))) is not { } file
            ? "It is a part of a model, or another model's."
            : $"Give the {file} that belongs to these weights.";
    }
}

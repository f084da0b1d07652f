using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using PicoGpt.Architecture;
using PicoGpt.Tests.Checkpoints;

namespace PicoGpt.Tests.Weights;

/// <summary>Writes a model as the transformers library leaves it, without the product's writer.</summary>
internal static partial class HuggingFaceFolder
{
    /// <summary>The tensors of a model under Hugging Face's names.</summary>
    public static List<(string Name, string Type, long[] Shape, byte[] Bytes)> Tensors(Gpt2Model model, string prefix = "transformer.") =>
        [.. model.Parameters.Select(weight => (
            NameOf(weight.Name, prefix),
            "F32",
            weight.Shape.Select(length => (long)length).ToArray(),
            MemoryMarshal.AsBytes(weight.Values.Span).ToArray()))];

    /// <summary>The config and the vocabulary.</summary>
    public static void WriteRest(string folder, Gpt2Model model)
    {
        Directory.CreateDirectory(folder);
        Gpt2HyperParameters h = model.HyperParameters;
        File.WriteAllText(
            Path.Combine(folder, "config.json"),
            $$"""
            {"model_type": "gpt2", "n_layer": {{h.NLayer}}, "n_head": {{h.NHead}}, "n_embd": {{h.NEmbd}}, "n_positions": {{h.NCtx}},
             "vocab_size": {{h.NVocab}}, "activation_function": "gelu_new", "layer_norm_epsilon": 1e-05, "n_inner": null,
             "architectures": ["GPT2LMHeadModel"], "task_specific_params": {"text-generation": {"max_length": 50} } }
            """);
        File.Copy(Path.Combine(model.Path, "encoder.json"), Path.Combine(folder, "vocab.json"));
        File.Copy(Path.Combine(model.Path, "vocab.bpe"), Path.Combine(folder, "merges.txt"));
    }

    /// <summary>A whole folder.</summary>
    public static void Write(string folder, Gpt2Model model, IReadOnlyList<(string Name, string Type, long[] Shape, byte[] Bytes)>? tensors = null)
    {
        WriteRest(folder, model);
        File.WriteAllBytes(Path.Combine(folder, "model.safetensors"), SafetensorsBytes.Of(tensors ?? Tensors(model)));
    }

    /// <summary>The name that a weight has there.</summary>
    public static string NameOf(string weight, string prefix = "transformer.")
    {
        string name = Block().Replace(weight, "h.$1.").Replace('/', '.');
        if (name is "wte" or "wpe" or "lm_head") return (name == "lm_head" ? "" : prefix) + name + ".weight";
        return prefix + name[..^1] + (name[^1] == 'b' ? "bias" : "weight");
    }

    [GeneratedRegex(@"^h(\d+)/")]
    private static partial Regex Block();
}

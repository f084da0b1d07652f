using System.Text.RegularExpressions;

namespace PicoGpt.Architecture;

/// <summary>How a kind of checkpoint names the weights of a GPT-2.</summary>
internal abstract partial class WeightNaming
{
    /// <summary>OpenAI's TensorFlow code: <c>model/h0/attn/c_attn/w</c>.</summary>
    public static WeightNaming TensorFlow { get; } = new TensorFlowNaming();

    /// <summary>Hugging Face's GPT2LMHeadModel: <c>transformer.h.0.attn.c_attn.weight</c>.</summary>
    public static WeightNaming HuggingFace { get; } = new HuggingFaceNaming("transformer.");

    /// <summary>The tree of picoGPT's <c>params</c>: <c>blocks/0/attn/c_attn/w</c>.</summary>
    public static WeightNaming PicoGpt { get; } = new TreeNaming("blocks/");

    /// <summary>The naming that the names of a checkpoint's tensors follow.</summary>
    public static WeightNaming Of(IReadOnlySet<string> names)
    {
        if (names.Contains("model/wte") || names.Contains("model/wpe")) return TensorFlow;
        if (names.Contains("blocks/0/ln_1/g")) return PicoGpt;
        if (names.Contains("h0/ln_1/g")) return new TreeNaming("h");
        if (names.Contains("wte.weight") || names.Contains("wpe.weight")) return new HuggingFaceNaming("");
        return names.Any(name => name.Contains('.', StringComparison.Ordinal)) ? HuggingFace : TensorFlow;
    }

    /// <summary>The checkpoint's name for a weight of the tree: <c>h0/attn/c_attn/w</c> of the tree is <c>model/h0/attn/c_attn/w</c>.</summary>
    public abstract string Of(string weight);

    /// <summary>Whether a tensor that is no weight may lie beside them.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="weights">The checkpoint's names of the weights.</param>
    public virtual bool MayLieBeside(string name, IReadOnlySet<string> weights) => false;

    private sealed class TensorFlowNaming : WeightNaming
    {
        private const string Scope = "model/";

        public override string Of(string weight) => Scope + weight;

        // An optimizer's slot stands below the weight that it belongs to: model/wte/Adam_1.
        public override bool MayLieBeside(string name, IReadOnlySet<string> weights)
        {
            if (!name.StartsWith(Scope, StringComparison.Ordinal)) return true;
            for (int end = name.LastIndexOf('/'); end > 0; end = name.LastIndexOf('/', end - 1))
            {
                if (weights.Contains(name[..end])) return true;
            }

            return false;
        }
    }

    private sealed class TreeNaming(string block) : WeightNaming
    {
        public override string Of(string weight) => weight[0] == 'h' ? block + weight[1..] : weight;
    }

    private sealed partial class HuggingFaceNaming(string prefix) : WeightNaming
    {
        public override string Of(string weight)
        {
            string[] parts = weight.Split('/');
            if (weight == "lm_head") return "lm_head.weight"; // of the model around the transformer, so without the prefix
            string last = parts[^1] switch { "w" or "g" or "wte" or "wpe" => "weight", _ => "bias" };
            if (parts.Length == 1) return $"{prefix}{weight}.{last}";
            string layer = parts[0][0] == 'h' ? $"h.{parts[0][1..]}" : parts[0];
            return $"{prefix}{string.Join('.', [layer, .. parts[1..^1], last])}";
        }

        // The causal mask and what it masks with, which some versions save as if they were weights.
        public override bool MayLieBeside(string name, IReadOnlySet<string> weights) =>
            name.StartsWith(prefix, StringComparison.Ordinal) && Mask().IsMatch(name.AsSpan(prefix.Length));

        [GeneratedRegex(@"^h\.\d+\.attn\.(bias|masked_bias)\z")]
        private static partial Regex Mask();
    }
}

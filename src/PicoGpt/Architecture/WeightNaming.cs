namespace PicoGpt.Architecture;

/// <summary>How a kind of checkpoint names the weights of a GPT-2.</summary>
internal abstract class WeightNaming
{
    /// <summary>OpenAI's TensorFlow code: <c>model/h0/attn/c_attn/w</c>.</summary>
    public static WeightNaming TensorFlow { get; } = new TensorFlowNaming();

    /// <summary>Hugging Face's GPT2LMHeadModel: <c>transformer.h.0.attn.c_attn.weight</c>.</summary>
    public static WeightNaming HuggingFace { get; } = new LayerNaming(LayerNames.HuggingFace, "", LayerNames.HuggingFace.Body, isTransposed: false);

    /// <summary>The tree of picoGPT's <c>params</c>: <c>blocks/0/attn/c_attn/w</c>.</summary>
    public static WeightNaming PicoGpt { get; } = new TreeNaming("blocks/");

    /// <summary>llama.cpp's GGUF files: <c>blk.0.attn_qkv.weight</c>.</summary>
    public static WeightNaming Gguf { get; } = new LayerNaming(LayerNames.Gguf, "", "", isTransposed: true);

    /// <summary>What the computation is with weights of these names where nothing tells it: the activation of the program that uses them.</summary>
    public virtual Gpt2Activation Activation => Gpt2Activation.GeluTanh;

    /// <summary>The naming that the tensors of a checkpoint follow.</summary>
    /// <param name="shapes">Their dimensions by name.</param>
    public static WeightNaming Of(IReadOnlyDictionary<string, IReadOnlyList<long>> shapes)
    {
        if (shapes.ContainsKey("model/wte") || shapes.ContainsKey("model/wpe")) return TensorFlow;
        if (shapes.ContainsKey("blocks/0/ln_1/g")) return PicoGpt;
        if (shapes.ContainsKey("h0/ln_1/g")) return new TreeNaming("h");
        return LayerNaming.Find(shapes) ?? (shapes.Keys.Any(IsOfPyTorch) ? HuggingFace : TensorFlow);
    }

    // TensorFlow's names are paths, in which there may be dots: transformer/h/_0/.ATTRIBUTES/VARIABLE_VALUE.
    private static bool IsOfPyTorch(string name) => name.Contains('.', StringComparison.Ordinal) && !name.Contains('/', StringComparison.Ordinal);

    /// <summary>
    /// The checkpoint's names for a weight of the tree: one, or those of several tensors that make it up, one below the other as they stand
    /// there.
    /// </summary>
    public abstract IReadOnlyList<string> PartsOf(string weight);

    /// <summary>The checkpoint's name for a weight of the tree: <c>h0/attn/c_attn/w</c> of the tree is <c>model/h0/attn/c_attn/w</c>.</summary>
    public string Of(string weight) => PartsOf(weight)[0];

    /// <summary>Whether the checkpoint has a weight as <c>[out, in]</c>, where the tree has <c>[in, out]</c>.</summary>
    public virtual bool IsTransposed(string weight) => false;

    /// <summary>Whether all layers may be without a bias that others have, which is to have zeros there.</summary>
    public virtual bool MayLack(string weight) => false;

    /// <summary>Whether a tensor that is not a weight may lie beside them.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="weights">The checkpoint's names of the weights.</param>
    public virtual bool MayLieBeside(string name, IReadOnlySet<string> weights) => false;

    /// <summary>Whether a tensor is a causal mask, which says nothing that the architecture does not.</summary>
    public virtual bool IsMask(string name) => false;

    private sealed class TensorFlowNaming : WeightNaming
    {
        private const string Scope = "model/";

        public override IReadOnlyList<string> PartsOf(string weight) => [Scope + weight];

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
        public override IReadOnlyList<string> PartsOf(string weight) => [weight[0] == 'h' ? block + weight[1..] : weight];
    }
}

using PicoGpt.Architecture;
using PicoGpt.Weights;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;
using Tensor = TorchSharp.torch.Tensor;

namespace PicoGpt.Peers.Torch;

/// <summary>What libtorch's forward passes have in common: its own linear layers and norms, on weights by the checkpoint's names.</summary>
/// <param name="h">The shape of the model.</param>
/// <param name="weights">The weights.</param>
internal sealed class TorchModel(Gpt2HyperParameters h, IReadOnlyDictionary<string, Tensor> weights)
{
    /// <summary>Attends by a layer's queries, keys and values, [3, texts, n_head, n_seq, head], to what the heads read, [texts, n_head, n_seq, head].</summary>
    public delegate Tensor Attention(Tensor heads, int layer);

    /// <summary>The residual stream after all blocks, [texts, n_seq, n_embd].</summary>
    /// <param name="ids">The token ids, [texts · n_seq].</param>
    /// <param name="texts">How many texts.</param>
    /// <param name="position">The position of the first token of each.</param>
    /// <param name="attend">The attention.</param>
    public Tensor Run(Tensor ids, int texts, int position, Attention attend)
    {
        long rows = ids.shape[0] / texts;
        Tensor x = weights["wte"].index_select(0, ids).view(texts, rows, h.NEmbd) + weights["wpe"].narrow(0, position, rows);
        for (int layer = 0; layer < h.NLayer; layer++)
        {
            Tensor heads = Project(Norm(x, $"h{layer}/ln_1"), $"h{layer}/attn/c_attn").view(texts, rows, 3, h.NHead, h.HeadSize).permute(2, 0, 3, 1, 4);
            x = x + Project(attend(heads, layer).transpose(1, 2).reshape(texts, rows, h.NEmbd), $"h{layer}/attn/c_proj");
            Tensor hidden = functional.gelu(Project(Norm(x, $"h{layer}/ln_2"), $"h{layer}/mlp/c_fc"), TorchSharp.Modules.GELU.Approximate.tanh);
            x = x + Project(hidden, $"h{layer}/mlp/c_proj");
        }

        return x;
    }

    /// <summary>The logits after rows of the residual stream: [.., n_embd] -> [.., n_vocab].</summary>
    public Tensor Logits(Tensor x) => functional.linear(Norm(x, "ln_f"), weights["wte"]);

    /// <summary>A weight as libtorch's layers have it: a projection's rows are its outputs.</summary>
    public static Tensor TensorOf(Gpt2Weight weight, ScalarType type)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor values = tensor(weight.Values.ToArray(), [.. weight.Shape.Select(length => (long)length)]);
        return (weight.Leaf.Kind == Gpt2LeafKind.Projection ? values.t().contiguous() : values).to(type).MoveToOuterDisposeScope();
    }

    private Tensor Norm(Tensor x, string name) => functional.layer_norm(x, [h.NEmbd], weights[$"{name}/g"], weights[$"{name}/b"], h.LayerNormEpsilon);

    private Tensor Project(Tensor x, string name) => functional.linear(x, weights[$"{name}/w"], weights[$"{name}/b"]);
}

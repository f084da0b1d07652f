using System.Diagnostics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using PicoGpt.Architecture;
using PicoGpt.Weights;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;
using Tensor = TorchSharp.torch.Tensor;

namespace PicoGpt.Peers.Torch;

/// <summary>libtorch by TorchSharp: its own linear layers, norms and attention, and keys and values that are written into tensors of their own.</summary>
internal sealed class TorchPeer : IPeer
{
    private readonly Gpt2HyperParameters _h;
    private readonly ScalarType _type;
    private readonly Dictionary<string, Tensor> _weights = [];
    private readonly TorchCache _alone;

    // Where it cannot be loaded, the system says why; TorchSharp would say that a package is missing.
    static TorchPeer() => NativeLibrary.Load("LibTorchSharp", typeof(TorchPeer).Assembly, DllImportSearchPath.AssemblyDirectory);

    /// <param name="model">The model in float32.</param>
    /// <param name="type">How all is held and computed.</param>
    /// <param name="threads">Threads to compute with.</param>
    public TorchPeer(Gpt2Model model, ScalarType type, int threads)
    {
        (_h, _type) = (model.HyperParameters, type);
        set_num_threads(threads);
        foreach (Gpt2Weight weight in model.Parameters) _weights.Add(weight.Name, TensorOf(weight));
        _alone = new TorchCache(_h, type, texts: 1, _h.NCtx);
    }

    public ReadOnlySpan<float> Read(int[] ids)
    {
        _alone.Length = 0;
        return Run(_alone, ids, texts: 1);
    }

    public int[] Continue(int[] prompt, int count, Stopwatch clock)
    {
        int[] ids = new int[count + 1];
        ids[0] = TensorPrimitives.IndexOfMax(Read(prompt));
        clock.Start();
        for (int i = 0; i < count; i++) ids[i + 1] = TensorPrimitives.IndexOfMax(Run(_alone, [ids[i]], texts: 1));
        clock.Stop();
        return ids;
    }

    public int[][] ContinueAll(int[][] prompts, int count, Stopwatch clock)
    {
        using var cache = new TorchCache(_h, _type, prompts.Length, prompts[0].Length + count);
        int[][] all = [.. prompts.Select(_ => new int[count])];
        int[] read = [.. prompts.SelectMany(ids => ids)];
        clock.Start();
        for (int position = 0; position < count; position++)
        {
            ReadOnlySpan<float> logits = Run(cache, read, prompts.Length); // [prompts, n_vocab]
            read = new int[prompts.Length];
            for (int text = 0; text < prompts.Length; text++)
                all[text][position] = read[text] = TensorPrimitives.IndexOfMax(logits.Slice(text * _h.NVocab, _h.NVocab));
        }

        clock.Stop();
        return all;
    }

    public void Dispose()
    {
        _alone.Dispose();
        foreach (Tensor weight in _weights.Values) weight.Dispose();
    }

    // ids, [texts, n_seq] -> the logits after the last of each text, [texts, n_vocab]
    private ReadOnlySpan<float> Run(TorchCache cache, int[] ids, int texts)
    {
        using IDisposable inference = inference_mode(true);
        using DisposeScope scope = NewDisposeScope();
        int rows = ids.Length / texts;
        Tensor x = _weights["wte"].index_select(0, tensor(ids)).view(texts, rows, _h.NEmbd) + _weights["wpe"].narrow(0, cache.Length, rows); // [texts, n_seq, n_embd]
        for (int layer = 0; layer < _h.NLayer; layer++)
        {
            x += Attention(cache, Norm(x, $"h{layer}/ln_1"), layer);
            Tensor hidden = functional.gelu(Project(Norm(x, $"h{layer}/ln_2"), $"h{layer}/mlp/c_fc"), TorchSharp.Modules.GELU.Approximate.tanh);
            x += Project(hidden, $"h{layer}/mlp/c_proj");
        }

        cache.Length += rows;
        Tensor last = Norm(x.select(1, rows - 1), "ln_f");
        Tensor logits = functional.linear(last, _weights["wte"]).to(ScalarType.Float32);
        return logits.data<float>().ToArray();
    }

    private Tensor Attention(TorchCache cache, Tensor x, int layer)
    {
        long texts = x.shape[0], rows = x.shape[1];
        Tensor heads = Project(x, $"h{layer}/attn/c_attn").view(texts, rows, 3, _h.NHead, _h.HeadSize).permute(2, 0, 3, 1, 4); // [3, texts, n_head, n_seq, head]
        (Tensor keys, Tensor values) = cache.Add(layer, heads[1], heads[2]);
        Tensor sum = functional.scaled_dot_product_attention(heads[0], keys, values, is_casual: rows > 1);
        return Project(sum.transpose(1, 2).reshape(texts, rows, _h.NEmbd), $"h{layer}/attn/c_proj");
    }

    private Tensor Norm(Tensor x, string name) =>
        functional.layer_norm(x, [_h.NEmbd], _weights[$"{name}/g"], _weights[$"{name}/b"], _h.LayerNormEpsilon);

    private Tensor Project(Tensor x, string name) => functional.linear(x, _weights[$"{name}/w"], _weights[$"{name}/b"]);

    // A projection's rows are its outputs, as libtorch's linear layers have them.
    private Tensor TensorOf(Gpt2Weight weight)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor values = tensor(weight.Values.ToArray(), [.. weight.Shape.Select(length => (long)length)]);
        return (weight.Leaf.Kind == Gpt2LeafKind.Projection ? values.t().contiguous() : values).to(_type).MoveToOuterDisposeScope();
    }
}

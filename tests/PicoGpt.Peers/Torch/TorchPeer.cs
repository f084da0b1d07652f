using System.Diagnostics;
using System.Numerics.Tensors;
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
    private readonly TorchModel _model;
    private readonly TorchCache _alone;

    static TorchPeer() => TorchLibrary.Load();

    /// <param name="model">The model in float32.</param>
    /// <param name="type">How all is held and computed.</param>
    /// <param name="threads">Threads to compute with.</param>
    public TorchPeer(Gpt2Model model, ScalarType type, int threads)
    {
        (_h, _type) = (model.HyperParameters, type);
        set_num_threads(threads);
        foreach (Gpt2Weight weight in model.Parameters) _weights.Add(weight.Name, TorchModel.TensorOf(weight, type));
        _model = new TorchModel(_h, _weights);
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
        Tensor x = _model.Run(tensor(ids), texts, cache.Length, (heads, layer) => Attend(cache, heads, layer)); // [texts, n_seq, n_embd]
        cache.Length += rows;
        Tensor logits = _model.Logits(x.select(1, rows - 1)).to(ScalarType.Float32);
        return logits.data<float>().ToArray();
    }

    private static Tensor Attend(TorchCache cache, Tensor heads, int layer)
    {
        (Tensor keys, Tensor values) = cache.Add(layer, heads[1], heads[2]);
        return functional.scaled_dot_product_attention(heads[0], keys, values, is_casual: heads.shape[3] > 1);
    }
}

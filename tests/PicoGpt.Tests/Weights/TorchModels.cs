using System.Globalization;
using System.Runtime.InteropServices;
using PicoGpt.Fuzz;
using PicoGpt.Weights;

namespace PicoGpt.Tests.Weights;

/// <summary>A model as programs written with PyTorch save it, by their own sources and without the product's naming.</summary>
internal static class TorchModels
{
    /// <summary>The names of each program, and whether its matrices of linear layers are <c>[out, in]</c>.</summary>
    public static IReadOnlyDictionary<string, (bool IsTransposed, Func<string, string[]> Names)> Programs { get; } =
        new Dictionary<string, (bool, Func<string, string[]>)>
        {
            ["transformers"] = (false, weight => ["transformer." + HuggingFace(weight)]),
            ["transformers, bare"] = (false, weight => [HuggingFace(weight)]),
            ["DataParallel"] = (false, weight => ["module.transformer." + HuggingFace(weight)]),
            ["TRL"] = (false, weight => ["pretrained_model.transformer." + HuggingFace(weight)]),
            ["trlX"] = (false, weight => ["base_model.transformer." + HuggingFace(weight)]),
            ["peft, merged"] = (false, weight => ["base_model.model.transformer." + HuggingFace(weight)]),
            ["nanoGPT"] = (true, weight => ["transformer." + HuggingFace(weight)]),
            ["nanoGPT, compiled"] = (true, weight => ["_orig_mod.transformer." + HuggingFace(weight)]),
            ["Lightning around nanoGPT"] = (true, weight => ["model._orig_mod.transformer." + HuggingFace(weight)]),
            ["minGPT of 2020"] = (true, OldMinGpt),
            ["rasbt"] = (true, Raschka),
        };

    /// <summary>The file of a model without some of its tensors.</summary>
    public static byte[] File(Gpt2Model model, string program, Func<string, bool> omits) => File(model, program, null, omits);

    /// <summary>The file.</summary>
    /// <param name="model">The model.</param>
    /// <param name="program">One of <see cref="Programs"/>.</param>
    /// <param name="wrap">What is made of the pickle of the state dictionary, where it is not all.</param>
    /// <param name="extra">Further tensors: names, and what of the model they are a copy of.</param>
    public static byte[] File(Gpt2Model model, string program, Func<string, string>? wrap = null, params (string Name, string Weight)[] extra) =>
        File(model, program, wrap, null, extra);

    private static byte[] File(
        Gpt2Model model, string program, Func<string, string>? wrap, Func<string, bool>? omits, params (string Name, string Weight)[] extra)
    {
        (bool isTransposed, Func<string, string[]> names) = Programs[program];
        List<(string Name, float[] Values, long[] Shape)> tensors = [];
        foreach (Gpt2Weight weight in model.Parameters) Add(names(weight.Name), weight);
        foreach ((string name, string weight) in extra) Add([name], model.Parameters.Single(w => w.Name == weight));
        var storages = new List<(string Key, byte[] Bytes)>();
        string items = "";
        foreach ((string name, float[] values, long[] shape) in tensors.Where(tensor => omits?.Invoke(tensor.Name) != true))
        {
            string key = storages.Count.ToString(CultureInfo.InvariantCulture);
            items += TorchBytes.Text(name) + TorchBytes.Tensor("FloatStorage", key, values.Length, shape);
            storages.Add((key, MemoryMarshal.AsBytes(values.AsSpan()).ToArray()));
        }

        string dictionary = TorchBytes.EmptyDictionary + "(" + items + "u";
        return TorchBytes.Archive(TorchBytes.Pickle(wrap is null ? dictionary : wrap(dictionary)), storages);

        void Add(string[] parts, Gpt2Weight weight)
        {
            float[] values = weight.Values.ToArray();
            int[] shape = [.. weight.Shape];
            if (isTransposed && weight.Name.EndsWith("/w", StringComparison.Ordinal))
            {
                (int inputs, int outputs) = (shape[0], shape[1]);
                values = [.. Enumerable.Range(0, outputs).SelectMany(o => Enumerable.Range(0, inputs).Select(i => weight.Values.Span[(i * outputs) + o]))];
                shape = [outputs, inputs];
            }

            shape[0] /= parts.Length;
            for (int part = 0; part < parts.Length; part++)
            {
                int count = values.Length / parts.Length;
                long[] dimensions = [.. shape.Select(length => (long)length)];
                tensors.Add((parts[part], values[(part * count)..((part + 1) * count)], parts[part] == "pos_emb" ? [1, .. dimensions] : dimensions));
            }
        }
    }

    private static string HuggingFace(string weight)
    {
        string name = weight.Replace('/', '.');
        if (name is "wte" or "wpe") return name + ".weight";
        if (name[0] == 'h') name = "h." + name[1..];
        return name[..^1] + (name[^1] == 'b' ? "bias" : "weight");
    }

    private static string[] OldMinGpt(string weight)
    {
        if (weight is "wte" or "wpe") return [weight == "wte" ? "tok_emb.weight" : "pos_emb"];
        string ending = weight[^1] == 'b' ? ".bias" : ".weight", layer = weight[..^2];
        if (layer == "ln_f") return ["ln_f" + ending];
        string block = $"blocks.{layer[1..layer.IndexOf('/', StringComparison.Ordinal)]}.";
        return layer[(layer.IndexOf('/', StringComparison.Ordinal) + 1)..] switch
        {
            "ln_1" => [block + "ln1" + ending],
            "ln_2" => [block + "ln2" + ending],
            "attn/c_attn" => [block + "attn.query" + ending, block + "attn.key" + ending, block + "attn.value" + ending],
            "attn/c_proj" => [block + "attn.proj" + ending],
            "mlp/c_fc" => [block + "mlp.0" + ending],
            _ => [block + "mlp.2" + ending],
        };
    }

    private static string[] Raschka(string weight)
    {
        if (weight is "wte" or "wpe") return [weight == "wte" ? "tok_emb.weight" : "pos_emb.weight"];
        string ending = weight[^1] == 'b' ? ".bias" : ".weight", norm = weight[^1] == 'b' ? ".shift" : ".scale", layer = weight[..^2];
        if (layer == "ln_f") return ["final_norm" + norm];
        string block = $"trf_blocks.{layer[1..layer.IndexOf('/', StringComparison.Ordinal)]}.";
        return layer[(layer.IndexOf('/', StringComparison.Ordinal) + 1)..] switch
        {
            "ln_1" => [block + "norm1" + norm],
            "ln_2" => [block + "norm2" + norm],
            "attn/c_attn" => [block + "att.W_query" + ending, block + "att.W_key" + ending, block + "att.W_value" + ending],
            "attn/c_proj" => [block + "att.out_proj" + ending],
            "mlp/c_fc" => [block + "ff.layers.0" + ending],
            _ => [block + "ff.layers.2" + ending],
        };
    }
}

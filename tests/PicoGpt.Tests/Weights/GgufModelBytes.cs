using System.Runtime.InteropServices;
using System.Text.Json;
using PicoGpt.Architecture;
using PicoGpt.Fuzz;
using PicoGpt.Weights;

namespace PicoGpt.Tests.Weights;

/// <summary>A model as llama.cpp's conversion leaves it, without the product's writer.</summary>
internal static class GgufModelBytes
{
    /// <summary>The keys, with the vocabulary of the model's folder.</summary>
    public static List<(string Key, byte[] Value)> Metadata(Gpt2Model model)
    {
        Gpt2HyperParameters h = model.HyperParameters;
        using JsonDocument encoder = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(model.Path, "encoder.json")));
        string[] tokens = [.. encoder.RootElement.EnumerateObject().OrderBy(token => token.Value.GetInt32()).Select(token => token.Name)];
        string[] merges = [.. File.ReadLines(Path.Combine(model.Path, "vocab.bpe")).Skip(1).Where(line => line.Length > 0)];
        return
        [
            ("general.architecture", GgufBytes.Text("gpt2")),
            ("general.type", GgufBytes.Text("model")),
            ("gpt2.block_count", GgufBytes.UInt32((uint)h.NLayer)),
            ("gpt2.context_length", GgufBytes.UInt32((uint)h.NCtx)),
            ("gpt2.embedding_length", GgufBytes.UInt32((uint)h.NEmbd)),
            ("gpt2.feed_forward_length", GgufBytes.UInt32(4 * (uint)h.NEmbd)),
            ("gpt2.attention.head_count", GgufBytes.UInt32((uint)h.NHead)),
            ("gpt2.attention.layer_norm_epsilon", GgufBytes.Float32(1e-5f)),
            ("tokenizer.ggml.model", GgufBytes.Text("gpt2")),
            ("tokenizer.ggml.pre", GgufBytes.Text("gpt-2")),
            ("tokenizer.ggml.tokens", GgufBytes.Texts(tokens)),
            ("tokenizer.ggml.token_type", GgufBytes.Ints([.. tokens.Select(token => token == "<|endoftext|>" ? 3 : 1)])),
            ("tokenizer.ggml.merges", GgufBytes.Texts(merges)),
            ("tokenizer.ggml.eos_token_id", GgufBytes.UInt32((uint)Array.IndexOf(tokens, "<|endoftext|>"))),
        ];
    }

    /// <summary>The tensors, float32, matrices of linear layers as <c>[out, in]</c>.</summary>
    public static List<(string Name, uint Type, long[] Dimensions, byte[] Data)> Tensors(Gpt2Model model) => [.. model.Parameters.Select(Tensor)];

    private static (string Name, uint Type, long[] Dimensions, byte[] Data) Tensor(Gpt2Weight weight)
    {
        float[] values = weight.Values.ToArray();
        long[] dimensions = [.. weight.Shape.Reverse().Select(length => (long)length)];
        if (weight.Name.EndsWith("/w", StringComparison.Ordinal))
        {
            (int inputs, int outputs) = (weight.Shape[0], weight.Shape[1]);
            values = [.. Enumerable.Range(0, outputs).SelectMany(o => Enumerable.Range(0, inputs).Select(i => weight.Values.Span[(i * outputs) + o]))];
            dimensions = [inputs, outputs];
        }

        return (NameOf(weight.Name), 0, dimensions, MemoryMarshal.AsBytes(values.AsSpan()).ToArray());
    }

    private static string NameOf(string weight) => (weight.StartsWith('h') ? "blk." + weight[1..] : weight)
        .Replace("/ln_1/g", ".attn_norm.weight", StringComparison.Ordinal).Replace("/ln_1/b", ".attn_norm.bias", StringComparison.Ordinal)
        .Replace("/attn/c_attn/w", ".attn_qkv.weight", StringComparison.Ordinal).Replace("/attn/c_attn/b", ".attn_qkv.bias", StringComparison.Ordinal)
        .Replace("/attn/c_proj/w", ".attn_output.weight", StringComparison.Ordinal).Replace("/attn/c_proj/b", ".attn_output.bias", StringComparison.Ordinal)
        .Replace("/ln_2/g", ".ffn_norm.weight", StringComparison.Ordinal).Replace("/ln_2/b", ".ffn_norm.bias", StringComparison.Ordinal)
        .Replace("/mlp/c_fc/w", ".ffn_up.weight", StringComparison.Ordinal).Replace("/mlp/c_fc/b", ".ffn_up.bias", StringComparison.Ordinal)
        .Replace("/mlp/c_proj/w", ".ffn_down.weight", StringComparison.Ordinal).Replace("/mlp/c_proj/b", ".ffn_down.bias", StringComparison.Ordinal)
        .Replace("ln_f/g", "output_norm.weight", StringComparison.Ordinal).Replace("ln_f/b", "output_norm.bias", StringComparison.Ordinal)
        .Replace("wte", "token_embd.weight", StringComparison.Ordinal).Replace("wpe", "position_embd.weight", StringComparison.Ordinal);
}

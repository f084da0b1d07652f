namespace PicoGpt.Architecture;

/// <summary>What a program written with PyTorch calls the parts of its GPT-2; each has a <c>weight</c> and a <c>bias</c>.</summary>
/// <param name="Wte">The token embedding, with its ending.</param>
/// <param name="Wpe">The position embedding, with its ending.</param>
/// <param name="Block">What the number of a block follows.</param>
/// <param name="Ln1">The norm before the attention.</param>
/// <param name="CAttn">What makes queries, keys and values: one part, or one for each of the three in this order.</param>
/// <param name="CProj">The projection behind the attention.</param>
/// <param name="Ln2">The norm before the feed-forward network.</param>
/// <param name="CFc">The first layer of that.</param>
/// <param name="MlpCProj">Its second layer.</param>
/// <param name="LnF">The last norm.</param>
/// <param name="Output">The output projection, with its ending.</param>
/// <param name="Masks">What causal masks are called within a block; they are not weights, though some programs save them.</param>
internal sealed record LayerNames(
    string Wte,
    string Wpe,
    string Block,
    string Ln1,
    string[] CAttn,
    string CProj,
    string Ln2,
    string CFc,
    string MlpCProj,
    string LnF,
    string Output,
    params string[] Masks)
{
    /// <summary>The endings of a norm's two weights.</summary>
    public (string Gain, string Shift) Norm { get; init; } = ("weight", "bias");

    /// <summary>What stands before all names but that of the output projection, in whole models; the rest of such a model may be there alone.</summary>
    public string Body { get; init; } = "";

    /// <summary>
    /// Whether matrices of linear layers are <c>[out, in]</c>, as PyTorch's own are; <see langword="null"/> where it takes a look at one.
    /// </summary>
    public bool? IsTransposed { get; init; } = true;

    /// <summary>What the program does to the hidden values of the feed-forward network; its files do not tell it.</summary>
    public Gpt2Activation Activation { get; init; }

    /// <summary>Whether the program can make models in which queries, keys and values have no bias, where all else has.</summary>
    public bool MayLackQueryBias { get; init; }

    /// <summary>Hugging Face's transformers, whose matrices are <c>[in, out]</c>; nanoGPT and minGPT have the same names, and <c>[out, in]</c>.</summary>
    public static LayerNames HuggingFace { get; } = new(
        "wte.weight", "wpe.weight", "h.", "ln_1", ["attn.c_attn"], "attn.c_proj", "ln_2", "mlp.c_fc", "mlp.c_proj", "ln_f", "lm_head.weight",
        "attn.bias", "attn.masked_bias")
    {
        Body = "transformer.",
        IsTransposed = null,
    };

    /// <summary>minGPT as it was in 2020.</summary>
    public static LayerNames OldMinGpt { get; } = new(
        "tok_emb.weight", "pos_emb", "blocks.", "ln1", ["attn.query", "attn.key", "attn.value"], "attn.proj", "ln2", "mlp.0", "mlp.2", "ln_f",
        "head.weight", "attn.mask")
    {
        Activation = Gpt2Activation.Gelu,
    };

    /// <summary>Sebastian Raschka's "Build a Large Language Model (From Scratch)".</summary>
    public static LayerNames Raschka { get; } = new(
        "tok_emb.weight", "pos_emb.weight", "trf_blocks.", "norm1", ["att.W_query", "att.W_key", "att.W_value"], "att.out_proj", "norm2",
        "ff.layers.0", "ff.layers.2", "final_norm", "out_head.weight", "att.mask")
    {
        Norm = ("scale", "shift"),
        MayLackQueryBias = true,
    };

    /// <summary>llama.cpp's GGUF files.</summary>
    public static LayerNames Gguf { get; } = new(
        "token_embd.weight", "position_embd.weight", "blk.", "attn_norm", ["attn_qkv"], "attn_output", "ffn_norm", "ffn_up", "ffn_down",
        "output_norm", "output.weight");

    /// <summary>Those that files of PyTorch's kind are searched for.</summary>
    public static IReadOnlyList<LayerNames> All { get; } = [HuggingFace, Raschka, OldMinGpt];

    /// <summary>The names of the parts that make up a weight of the tree, without what stands before the model's names.</summary>
    public IEnumerable<string> Of(string weight)
    {
        string[] parts = weight.Split('/');
        if (parts is [var embedding]) return [embedding == "wte" ? Wte : Wpe];
        string block = parts[0][0] == 'h' ? $"{Block}{parts[0][1..]}." : "";
        bool isNorm = parts[^2].StartsWith("ln_", StringComparison.Ordinal);
        string ending = parts[^1] switch { "w" => "weight", "g" => Norm.Gain, _ => isNorm ? Norm.Shift : "bias" };
        string[] layers = string.Join('/', parts[(block.Length > 0 ? 1 : 0)..^1]) switch
        {
            "ln_1" => [Ln1],
            "attn/c_attn" => CAttn,
            "attn/c_proj" => [CProj],
            "ln_2" => [Ln2],
            "mlp/c_fc" => [CFc],
            "mlp/c_proj" => [MlpCProj],
            _ => [LnF],
        };
        return layers.Select(layer => $"{block}{layer}.{ending}");
    }

    /// <summary>Whether a name is that of a causal mask.</summary>
    public bool IsMask(ReadOnlySpan<char> name)
    {
        if (!name.StartsWith(Block)) return false;
        ReadOnlySpan<char> number = name[Block.Length..];
        int end = number.IndexOf('.');
        return end > 0 && !number[..end].ContainsAnyExceptInRange('0', '9') && Array.IndexOf(Masks, number[(end + 1)..].ToString()) >= 0;
    }
}

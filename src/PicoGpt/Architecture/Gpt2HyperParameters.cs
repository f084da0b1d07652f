using System.Text;
using System.Text.Json;
using PicoGpt.Files;

namespace PicoGpt.Architecture;

/// <summary>
/// What makes a GPT-2 architecture: the five numbers that OpenAI's <c>hparams.json</c> has, and what Hugging Face's <c>config.json</c> has
/// beyond them, which are OpenAI's own where nothing else is said.
/// </summary>
/// <param name="NVocab">Tokens in the vocabulary (<c>n_vocab</c>).</param>
/// <param name="NCtx">Positions of the context (<c>n_ctx</c>).</param>
/// <param name="NEmbd">Width of the residual stream (<c>n_embd</c>).</param>
/// <param name="NHead">Attention heads a layer (<c>n_head</c>).</param>
/// <param name="NLayer">Transformer blocks (<c>n_layer</c>).</param>
public sealed record Gpt2HyperParameters(int NVocab, int NCtx, int NEmbd, int NHead, int NLayer)
{
    /// <summary>The name of the file in a model's folder.</summary>
    public const string FileName = "hparams.json";

    private const int MaxFileLength = 1 << 20;
    private const string Example = "GPT-2's hyperparameters, such as {\"n_vocab\": 50257, \"n_ctx\": 1024, \"n_embd\": 768, \"n_head\": 12, \"n_layer\": 12}";

    // Far beyond any GPT-2, and small enough that no product of two of them passes a long.
    private const int Largest = 1 << 24;

    // Of each layer a dozen names are looked up, and listed where they are missing.
    private const int MaxLayers = 4096;

    // null where it is GPT-2's own, so that two equal architectures are equal however they were told
    private readonly int? _nInner;

    /// <summary>Hidden values of the feed-forward networks (<c>n_inner</c>); <c>4 n_embd</c> unless it is set.</summary>
    public int NInner { get => _nInner ?? 4 * NEmbd; init => _nInner = value == 4 * NEmbd ? null : value; }

    /// <summary>What is done to the hidden values (<c>activation_function</c>).</summary>
    public Gpt2Activation Activation { get; init; }

    /// <summary>What a layer norm adds to the variance (<c>layer_norm_epsilon</c>).</summary>
    public double LayerNormEpsilon { get; init; } = 1e-5;

    /// <summary>Whether the scores of an attention are divided by the root of the head size (<c>scale_attn_weights</c>).</summary>
    public bool ScaleAttnWeights { get; init; } = true;

    /// <summary>Whether they are divided by the layer's number, from 1, too (<c>scale_attn_by_inverse_layer_idx</c>).</summary>
    public bool ScaleAttnByInverseLayerIdx { get; init; }

    /// <summary>
    /// Whether the token embedding is the output projection too (<c>tie_word_embeddings</c>); a model with weights <c>lm_head</c> of its own
    /// has one more matrix.
    /// </summary>
    public bool TieWordEmbeddings { get; init; } = true;

    /// <summary>Whether projections and layer norms have biases (nanoGPT's <c>bias</c>).</summary>
    public bool Bias { get; init; } = true;

    /// <summary>Width of one head: <c>n_embd / n_head</c>.</summary>
    public int HeadSize => NEmbd / NHead;

    /// <summary>The number of trainable parameters.</summary>
    public long ParameterCount => Gpt2Architecture.Sum(this, leaf => leaf.Count);

    /// <summary>How many of them are in the attentions and the norms before them.</summary>
    public long AttentionParameterCount => CountOf("ln_1", "attn");

    /// <summary>How many of them are in the feed-forward networks and the norms before them.</summary>
    public long MlpParameterCount => CountOf("ln_2", "mlp");

    /// <summary>Reads an <c>hparams.json</c>.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="Gpt2Exception">The file is missing, is not JSON, or its numbers make no architecture.</exception>
    public static Gpt2HyperParameters Load(string path)
    {
        using JsonDocument document = JsonFile.Parse(path, MaxFileLength, Example);
        try
        {
            return new Gpt2HyperParameters(Number("n_vocab"), Number("n_ctx"), Number("n_embd"), Number("n_head"), Number("n_layer")).Validate(path);
        }
        catch (InvalidOperationException fault) // half a surrogate pair in a name
        {
            throw Gpt2Exception.WithAdvice(Gpt2Error.NotAFormat, $"'{path}' is not JSON; expected {Example}", Gpt2Exception.CopyAgain, path, fault);
        }

        int Number(string name) => NumberIn(document.RootElement, name, path);
    }

    /// <summary>Writes the file as OpenAI writes it.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="Gpt2Exception">It cannot be written.</exception>
    public void Save(string path) => OutputFile.Save(path, stream => stream.Write(ToJson()));

    /// <summary>The file as OpenAI writes it.</summary>
    internal byte[] ToJson() => Encoding.UTF8.GetBytes(
        $$"""
        {
          "n_vocab": {{NVocab}},
          "n_ctx": {{NCtx}},
          "n_embd": {{NEmbd}},
          "n_head": {{NHead}},
          "n_layer": {{NLayer}}
        }

        """);

    private long CountOf(params string[] parts) => Gpt2Architecture.Sum(this, leaf => parts.Contains(leaf.Part) ? leaf.Count : 0);

    /// <summary>The five numbers under their names in <c>hparams.json</c>.</summary>
    internal IReadOnlyList<(string Name, int Value)> Numbers =>
        [("n_vocab", NVocab), ("n_ctx", NCtx), ("n_embd", NEmbd), ("n_head", NHead), ("n_layer", NLayer)];

    /// <summary>What the scores of a layer's attention are multiplied by.</summary>
    internal float AttentionScale(int layer)
    {
        float scale = ScaleAttnWeights ? 1f / MathF.Sqrt(HeadSize) : 1f;
        return ScaleAttnByInverseLayerIdx ? scale / (layer + 1) : scale;
    }

    /// <summary>A whole number of a JSON object.</summary>
    internal static int NumberIn(JsonElement root, string name, string path)
    {
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty(name, out JsonElement value))
            throw new Gpt2Exception(Gpt2Error.NotAFormat, $"'{path}' has no number named {name}; is it GPT-2's {Path.GetFileName(path)}?", path);
        return Number(value, name, path);
    }

    /// <summary>The whole number that a value of that name is.</summary>
    internal static int Number(JsonElement value, string name, string path) => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number)
        ? number
        : throw new Gpt2Exception(Gpt2Error.NotAFormat, FormattableString.Invariant($"'{path}' says {name} = {Excerpt.Of(value.GetRawText())}; expected a whole number from 1 to {Largest:N0}."), path);

    /// <summary>Makes sure that the numbers of a model that is to be made make an architecture.</summary>
    /// <exception cref="Gpt2Exception">A number is out of its range.</exception>
    internal void ValidateNew()
    {
        foreach ((string name, int value) in Numbers)
        {
            int most = name == "n_layer" ? MaxLayers : Largest;
            if (value < 1 || value > most)
                throw new Gpt2Exception(Gpt2Error.InvalidArgument, FormattableString.Invariant($"A model with {name} = {value} cannot be made; take a number from 1 to {most:N0}."));
        }

        if (NEmbd % NHead == 0) return;
        int below = NEmbd / NHead * NHead;
        throw new Gpt2Exception(
            Gpt2Error.InvalidArgument,
            $"A width of {NEmbd} cannot be shared equally by {NHead} heads; take a multiple of {NHead}, such as {(below > 0 ? $"{below} or " : "")}{below + NHead}.");
    }

    /// <summary>The numbers, if they make an architecture.</summary>
    /// <exception cref="Gpt2Exception">A number is out of its range.</exception>
    internal Gpt2HyperParameters Validate(string path)
    {
        foreach ((string name, int value) in Numbers.Append(("n_inner", NInner)))
        {
            int most = name switch { "n_layer" => MaxLayers, "n_inner" => 4 * Largest, _ => Largest };
            if (value < 1 || value > most)
                throw new Gpt2Exception(Gpt2Error.Corrupt, FormattableString.Invariant($"'{path}' says {name} = {value}; expected a number from 1 to {most:N0}."), path);
        }

        if (NEmbd % NHead == 0) return this;
        throw new Gpt2Exception(
            Gpt2Error.Corrupt, $"'{path}' says n_embd = {NEmbd} and n_head = {NHead}; the first must be a multiple of the second.", path);
    }
}

using PicoGpt.Architecture;

namespace PicoGpt.Checkpoints.Gguf;

/// <summary>The shape of the model in a GGUF file, by the keys of llama.cpp (llama-arch.cpp), which runs GPT-2 with the tanh form of GELU.</summary>
internal static class GgufHyperParameters
{
    private const string Architecture = "gpt2";
    private const string ContextLength = "gpt2.context_length";
    private const string EmbeddingLength = "gpt2.embedding_length";
    private const string FeedForwardLength = "gpt2.feed_forward_length";
    private const string BlockCount = "gpt2.block_count";
    private const string HeadCount = "gpt2.attention.head_count";
    private const string LayerNormEpsilon = "gpt2.attention.layer_norm_epsilon";
    private const string VocabularySize = "gpt2.vocab_size";
    private const string TypeKey = "general.type";
    private const string Model = "model";

    // What llama.cpp lets a file choose apart from the head count.
    private const string KeyValueHeadCount = "gpt2.attention.head_count_kv";
    private const string Causal = "gpt2.attention.causal";
    private static readonly string[] HeadSizes = ["gpt2.attention.key_length", "gpt2.attention.value_length"];

    /// <exception cref="Gpt2Exception">The file is of another model than a GPT-2, or what it tells of it makes no sense.</exception>
    public static Gpt2HyperParameters Read(GgufSource source)
    {
        GgufMetadata metadata = source.Metadata;
        RequireGpt2(metadata);
        string embedding = WeightNaming.Gguf.Of("wte");
        StoredTensor? wte = source.Tensors.FirstOrDefault(tensor => tensor.Name == embedding && tensor.Shape.Rank == 2);
        long vocabulary = wte?.Shape[0] ?? metadata.Number(VocabularySize) ?? throw metadata.Bad($"has no tensor '{embedding}' of two dimensions");
        var h = new Gpt2HyperParameters(Number(vocabulary), Required(ContextLength), Required(EmbeddingLength), Required(HeadCount), Required(BlockCount));
        if (metadata.Number(FeedForwardLength) is { } inner) h = h with { NInner = Number(inner) };
        if (metadata.Real(LayerNormEpsilon) is { } epsilon) h = h with { LayerNormEpsilon = EpsilonOf(metadata, epsilon) };
        h = h.Validate(metadata.Path);
        Require(metadata, KeyValueHeadCount, h.NHead);
        foreach (string key in HeadSizes) Require(metadata, key, h.HeadSize);
        if (metadata.Flag(Causal) == false) throw Other(metadata, Causal, "false", "true");
        return h;

        int Required(string key) => Number(metadata.Number(key) ?? throw metadata.Bad($"has no key '{key}'"));
    }

    /// <summary>Adds the shape to the metadata of a file that is to be written.</summary>
    /// <exception cref="Gpt2Exception">The file has no place for what the model is.</exception>
    public static void Write(GgufHeader header, Gpt2HyperParameters h)
    {
        RequireWritable(h);
        header.Add(ContextLength, (uint)h.NCtx);
        header.Add(EmbeddingLength, (uint)h.NEmbd);
        header.Add(FeedForwardLength, (uint)h.NInner);
        header.Add(BlockCount, (uint)h.NLayer);
        header.Add(HeadCount, (uint)h.NHead);
        header.Add(LayerNormEpsilon, (float)h.LayerNormEpsilon);
        header.Add(VocabularySize, (uint)h.NVocab);
    }

    /// <summary>Adds what says that the file is a GPT-2; llama.cpp wants it first.</summary>
    public static void WriteArchitecture(GgufHeader header)
    {
        header.Add(GgufFile.ArchitectureKey, Architecture);
        header.Add(TypeKey, Model);
    }

    /// <summary>Throws where llama.cpp would compute otherwise than the model does.</summary>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.Unsupported"/>.</exception>
    public static void RequireWritable(Gpt2HyperParameters h)
    {
        // what the file has keys and tensors for
        Gpt2HyperParameters rest = h with { NInner = 4 * h.NEmbd, LayerNormEpsilon = 1e-5, TieWordEmbeddings = true };
        string beyond = string.Join(", ", HuggingFaceConfig.BeyondOpenAI(rest));
        if (beyond.Length == 0) return;
        throw new Gpt2Exception(
            Gpt2Error.Unsupported, $"The model has {beyond}, which llama.cpp's GPT-2 does not compute; export it as Safetensors or Npz.");
    }

    // A float32 that was meant as 1e-5 is that, and not its neighbour as a double.
    private static double EpsilonOf(GgufMetadata metadata, double epsilon) => epsilon is > 0 and < 1
        ? double.Parse(((float)epsilon).ToString("R", System.Globalization.CultureInfo.InvariantCulture), System.Globalization.CultureInfo.InvariantCulture)
        : throw Other(metadata, LayerNormEpsilon, epsilon, "a number between 0 and 1");

    private static int Number(long value) => (int)Math.Min(value, int.MaxValue);

    private static void RequireGpt2(GgufMetadata metadata)
    {
        if (metadata.Text(TypeKey) is { } type and not Model)
        {
            throw new Gpt2Exception(
                Gpt2Error.Unsupported, $"'{metadata.Path}' is not a model but of the type '{type}'; give the model that it belongs to.", metadata.Path);
        }

        string architecture = metadata.Text(GgufFile.ArchitectureKey) ?? throw metadata.Bad($"has no key '{GgufFile.ArchitectureKey}'");
        if (architecture == Architecture) return;
        throw new Gpt2Exception(
            Gpt2Error.WrongArchitecture,
            $"'{metadata.Path}' is a model of the architecture '{VisibleText.Of(architecture)}'; PicoGpt runs '{Architecture}' alone.",
            metadata.Path);
    }

    private static void Require(GgufMetadata metadata, string key, long expected)
    {
        if (metadata.Number(key) is { } value && value != expected) throw Other(metadata, key, value, $"{expected}");
    }

    private static Gpt2Exception Other(GgufMetadata metadata, string key, object value, string expected) => new(
        Gpt2Error.Unsupported,
        FormattableString.Invariant($"'{metadata.Path}' says {key} = {value}, where GPT-2 has {expected}; a model that computes otherwise is not run."),
        metadata.Path);
}

using System.Globalization;
using System.Text.Json;
using PicoGpt.Files;

namespace PicoGpt.Architecture;

/// <summary>
/// The <c>config.json</c> of a Hugging Face folder (GPT2Config of the transformers library). What would make another computation than
/// the engine's is refused by name, because the weights alone do not show it.
/// </summary>
internal static class HuggingFaceConfig
{
    public const string FileName = "config.json";

    private const int MaxFileLength = 1 << 20;

    // nanoGPT's word; transformers has no such key, and begins biases that a file lacks with zeros, which is the same
    private const string Bias = "bias";

    private const string Quantization = "quantization_config";

    // The program that transformers runs in place of its own, where it is trusted.
    private const string OwnProgram = "auto_map";

    private const string TieWordEmbeddings = "tie_word_embeddings";

    // of GPT2Config's attribute_map
    private static readonly Dictionary<string, string> GeneralNames = new()
    {
        ["n_positions"] = "max_position_embeddings",
        ["n_embd"] = "hidden_size",
        ["n_head"] = "num_attention_heads",
        ["n_layer"] = "num_hidden_layers",
    };

    private static readonly string[] WrittenAlways = ["activation_function", "layer_norm_epsilon", TieWordEmbeddings];

    /// <summary>Every name of an activation that is computed; of several names of one, the first is written.</summary>
    private static readonly (string Name, Gpt2Activation Activation)[] ActivationNames =
    [
        ("gelu_new", Gpt2Activation.GeluTanh), ("gelu_fast", Gpt2Activation.GeluTanh), ("gelu_pytorch_tanh", Gpt2Activation.GeluTanh),
        ("gelu", Gpt2Activation.Gelu), ("relu", Gpt2Activation.Relu), ("silu", Gpt2Activation.Silu), ("swish", Gpt2Activation.Silu),
    ];

    /// <exception cref="Gpt2Exception">The file is missing, is another file, or is of a model that is computed differently.</exception>
    public static Gpt2HyperParameters Load(string path)
    {
        using JsonDocument document = JsonFile.Parse(path, MaxFileLength);
        try
        {
            return Read(document.RootElement, path);
        }
        catch (InvalidOperationException fault)
        {
            throw new Gpt2Exception(Gpt2Error.NotAFormat, $"'{path}' has a name or a text that is not valid Unicode.", path, fault);
        }
    }

    /// <summary>What OpenAI's hparams.json cannot tell of an architecture, such as <c>activation_function = "relu"</c>.</summary>
    public static IEnumerable<string> BeyondOpenAI(Gpt2HyperParameters h) => Keys(h).Except(Keys(OpenAIs(h))).Select(key => $"{key.Name} = {key.Json}");

    /// <summary>Writes what transformers needs to open the folder as a GPT2LMHeadModel.</summary>
    /// <param name="h">The shape.</param>
    /// <param name="writeIds">Writes the ids of special tokens, of which a shape knows nothing.</param>
    /// <param name="dtype">The type of the weights.</param>
    public static byte[] Format(Gpt2HyperParameters h, Action<Utf8JsonWriter> writeIds, string dtype)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            json.WriteStartObject();
            json.WriteString("model_type", "gpt2");
            json.WriteStartArray("architectures");
            json.WriteStringValue("GPT2LMHeadModel");
            json.WriteEndArray();
            json.WriteNumber("vocab_size", h.NVocab);
            json.WriteNumber("n_positions", h.NCtx);
            json.WriteNumber("n_ctx", h.NCtx);
            json.WriteNumber("n_embd", h.NEmbd);
            json.WriteNumber("n_head", h.NHead);
            json.WriteNumber("n_layer", h.NLayer);
            foreach ((string name, string value) in Keys(h).Where(key => WrittenAlways.Contains(key.Name)).Union(Keys(h).Except(Keys(OpenAIs(h)))))
            {
                json.WritePropertyName(name);
                json.WriteRawValue(value);
            }

            json.WriteNumber("initializer_range", 0.02);
            json.WriteString("torch_dtype", dtype);
            writeIds(json);
            json.WriteEndObject();
        }

        stream.WriteByte((byte)'\n');
        return stream.ToArray();
    }

    /// <summary>The keys beyond OpenAI's five numbers.</summary>
    private static (string Name, string Json)[] Keys(Gpt2HyperParameters h) =>
    [
        ("n_inner", h.NInner.ToString(CultureInfo.InvariantCulture)),
        ("activation_function", $"\"{ActivationNames.First(pair => pair.Activation == h.Activation).Name}\""),
        ("layer_norm_epsilon", h.LayerNormEpsilon.ToString(CultureInfo.InvariantCulture)),
        ("scale_attn_weights", Json(h.ScaleAttnWeights)),
        ("scale_attn_by_inverse_layer_idx", Json(h.ScaleAttnByInverseLayerIdx)),
        (TieWordEmbeddings, Json(h.TieWordEmbeddings)),
        (Bias, Json(h.Bias)),
    ];

    private static Gpt2HyperParameters OpenAIs(Gpt2HyperParameters h) => new(h.NVocab, h.NCtx, h.NEmbd, h.NHead, h.NLayer);

    private static string Json(bool value) => value ? "true" : "false";

    private static Gpt2HyperParameters Read(JsonElement config, string path)
    {
        if (config.ValueKind != JsonValueKind.Object)
            throw new Gpt2Exception(Gpt2Error.NotAFormat, $"'{path}' is not a JSON object; is it a model's {FileName}?", path);

        foreach (JsonProperty property in config.EnumerateObject()) RequireComputable(property, path);
        var h = new Gpt2HyperParameters(Number("vocab_size"), Number(Positions()), Number("n_embd"), Number("n_head"), Number("n_layer"));
        return config.EnumerateObject().Aggregate(h, (sofar, property) => Apply(sofar, property, path)).Validate(path);

        string Positions() => config.TryGetProperty("n_positions", out _) || config.TryGetProperty(GeneralNames["n_positions"], out _) ? "n_positions" : "n_ctx";

        int Number(string name) => HuggingFaceConfig.Number(config, name, path);
    }

    // transformers takes a number under either name, and the general one where both are there.
    private static int Number(JsonElement config, string name, string path)
    {
        if (!GeneralNames.TryGetValue(name, out string? general) || !config.TryGetProperty(general, out _))
            return Gpt2HyperParameters.NumberIn(config, name, path);
        int number = Gpt2HyperParameters.NumberIn(config, general, path);
        if (config.TryGetProperty(name, out _) && Gpt2HyperParameters.NumberIn(config, name, path) is var other && other != number)
            throw new Gpt2Exception(Gpt2Error.Corrupt, $"'{path}' says {name} = {other} and {general} = {number}, which are one number; leave out the wrong one.", path);
        return number;
    }

    private static void RequireComputable(JsonProperty property, string path)
    {
        JsonElement value = property.Value;
        bool isComputable = property.Name switch
        {
            "model_type" => IsText(value, "gpt2"),
            "add_cross_attention" => value.ValueKind == JsonValueKind.False,
            "pruned_heads" => value.ValueKind == JsonValueKind.Object && !value.EnumerateObject().Any(),
            Quantization => value.ValueKind == JsonValueKind.Null,
            OwnProgram => value.ValueKind != JsonValueKind.Object || !value.EnumerateObject().Any(entry => entry.Name.StartsWith("AutoModel", StringComparison.Ordinal)),
            _ => true,
        };
        if (isComputable) return;
        throw Unsupported(property, path, property.Name switch
        {
            Quantization => "weights in few bits are read from GGUF files alone; give the model that was quantized, or a GGUF file of it",
            OwnProgram => "a model's own program is not run; if it computes as GPT-2 does, remove that key",
            _ => "a model that computes differently from GPT-2 is not run",
        });
    }

    private static Gpt2HyperParameters Apply(Gpt2HyperParameters h, JsonProperty property, string path) => property.Name switch
    {
        "n_inner" when property.Value.ValueKind == JsonValueKind.Null => h,
        "n_inner" => h with { NInner = Gpt2HyperParameters.Number(property.Value, property.Name, path) },
        "activation_function" => h with { Activation = ActivationOf(property, path) },
        "layer_norm_epsilon" => h with { LayerNormEpsilon = EpsilonOf(property, path) },
        "scale_attn_weights" => h with { ScaleAttnWeights = Truth(property, path) },
        "scale_attn_by_inverse_layer_idx" => h with { ScaleAttnByInverseLayerIdx = Truth(property, path) },
        TieWordEmbeddings => h with { TieWordEmbeddings = Truth(property, path) },
        Bias => h with { Bias = Truth(property, path) },
        _ => h,
    };

    private static Gpt2Activation ActivationOf(JsonProperty property, string path)
    {
        foreach ((string name, Gpt2Activation activation) in ActivationNames)
        {
            if (IsText(property.Value, name)) return activation;
        }

        throw Unsupported(property, path, $"the activations that are computed are {string.Join(", ", ActivationNames.Select(pair => pair.Name))}");
    }

    private static double EpsilonOf(JsonProperty property, string path) =>
        property.Value.ValueKind == JsonValueKind.Number && property.Value.TryGetDouble(out double epsilon) && epsilon is > 0 and < 1
            ? epsilon
            : throw Unsupported(property, path, "expected a number between 0 and 1");

    private static bool Truth(JsonProperty property, string path) => property.Value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Unsupported(property, path, "expected true or false"),
    };

    private static Gpt2Exception Unsupported(JsonProperty property, string path, string what) =>
        new(Gpt2Error.Unsupported, $"'{path}' says {property.Name} = {Shorten(property.Value.GetRawText())}; {what}.", path);

    private static string Shorten(string json)
    {
        string line = string.Join(' ', json.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return Excerpt.Of(line, max: 80);
    }

    private static bool IsText(JsonElement value, string text) => value.ValueKind == JsonValueKind.String && value.ValueEquals(text);
}

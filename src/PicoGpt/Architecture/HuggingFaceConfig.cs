using System.Text.Json;
using PicoGpt.Files;

namespace PicoGpt.Architecture;

/// <summary>
/// The <c>config.json</c> of a Hugging Face folder (GPT2Config of the transformers library). What would make another computation than
/// GPT-2's is refused, for the weights alone do not show it.
/// </summary>
internal static class HuggingFaceConfig
{
    public const string FileName = "config.json";

    private const int LongestFile = 1 << 20;

    // of GPT-2's layer norms
    private const double Epsilon = 1e-5;

    private static readonly string[] TanhGelus = ["gelu_new", "gelu_fast", "gelu_pytorch_tanh"];

    /// <exception cref="Gpt2Exception">The file is missing, is no such file, or tells of a model that is computed otherwise.</exception>
    public static Gpt2HyperParameters Load(string path)
    {
        using JsonDocument document = JsonFile.Parse(path, LongestFile);
        try
        {
            return Read(document.RootElement, path);
        }
        catch (InvalidOperationException fault)
        {
            throw new Gpt2Exception(Gpt2Error.NotAFormat, $"'{path}' has a name or a text that is no valid Unicode.", path, fault);
        }
    }

    /// <summary>Writes what transformers needs to open the folder as a GPT2LMHeadModel.</summary>
    public static byte[] Format(Gpt2HyperParameters h, int? endOfText, string dtype)
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
            json.WriteString("activation_function", TanhGelus[0]);
            json.WriteNumber("layer_norm_epsilon", Epsilon);
            json.WriteNumber("initializer_range", 0.02);
            json.WriteBoolean("tie_word_embeddings", true);
            json.WriteString("torch_dtype", dtype);
            if (endOfText is { } id)
            {
                json.WriteNumber("bos_token_id", id);
                json.WriteNumber("eos_token_id", id);
            }

            json.WriteEndObject();
        }

        stream.WriteByte((byte)'\n');
        return stream.ToArray();
    }

    private static Gpt2HyperParameters Read(JsonElement config, string path)
    {
        if (config.ValueKind != JsonValueKind.Object)
            throw new Gpt2Exception(Gpt2Error.NotAFormat, $"'{path}' is no JSON object; is it a model's {FileName}?", path);

        RequireGpt2(config, path);
        string positions = config.TryGetProperty("n_positions", out _) ? "n_positions" : "n_ctx";
        return new Gpt2HyperParameters(
            Number("vocab_size"), Number(positions), Number("n_embd"), Number("n_head"), Number("n_layer")).Validate(path);

        int Number(string name) => Gpt2HyperParameters.Number(config, name, path);
    }

    private static void RequireGpt2(JsonElement config, string path)
    {
        foreach (JsonProperty property in config.EnumerateObject())
        {
            JsonElement value = property.Value;
            string? expected = property.Name switch
            {
                "model_type" when !IsText(value, "gpt2") => "\"gpt2\"",
                "activation_function" when !TanhGelus.Any(name => IsText(value, name)) => "\"gelu_new\"",
                "layer_norm_epsilon" when !(value.ValueKind == JsonValueKind.Number && Math.Abs(value.GetDouble() - Epsilon) < 1e-9) => "1e-5",
                "scale_attn_weights" or "tie_word_embeddings" when value.ValueKind != JsonValueKind.True => "true",
                "scale_attn_by_inverse_layer_idx" or "add_cross_attention" when value.ValueKind != JsonValueKind.False => "false",
                _ => null,
            };
            if (expected is not null)
            {
                throw new Gpt2Exception(
                    Gpt2Error.Unsupported,
                    $"'{path}' says {property.Name} = {value.GetRawText()}, where GPT-2 has {expected}; a model that computes otherwise is not run.",
                    path);
            }
        }
    }

    private static bool IsText(JsonElement value, string text) => value.ValueKind == JsonValueKind.String && value.ValueEquals(text);
}

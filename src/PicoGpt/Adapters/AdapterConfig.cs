using System.Text.Json;
using PicoGpt.Files;

namespace PicoGpt.Adapters;

/// <summary>PEFT's <c>adapter_config.json</c>: what a low-rank adapter is, beside its matrices.</summary>
/// <param name="Rank">The rank, <c>r</c>.</param>
/// <param name="Alpha"><c>lora_alpha</c>.</param>
/// <param name="Scale">What the product of the matrices is multiplied by: <c>alpha / r</c>, or <c>alpha / √r</c> with <c>use_rslora</c>.</param>
/// <param name="BaseModel">What the model is called that it was trained on, where it is told.</param>
internal sealed record AdapterConfig(int Rank, double Alpha, double Scale, string? BaseModel)
{
    /// <summary>The name of the file in an adapter's folder.</summary>
    public const string FileName = "adapter_config.json";

    private const int MaxFileLength = 1 << 20;
    private const int MaxRank = 1 << 16;
    private const string Expected = "PEFT's configuration of a low-rank adapter";

    // What would make the adapter another one than two matrices a projection.
    private static readonly string[] Beyond =
    [
        "alora_invocation_tokens", "alpha_pattern", "arrow_config", "layer_replication", "lora_bias", "megatron_config", "modules_to_save", "rank_pattern", "target_parameters",
        "trainable_token_indices", "use_bdlora", "use_dora", "use_qalora",
    ];

    // Ways to begin that change the model's own weights too.
    private static readonly string[] ChangedBases = ["corda", "loftq", "lora_ga", "olora", "pissa"];

    /// <summary>Reads a file.</summary>
    /// <exception cref="Gpt2Exception">It is not there, is not such a file, or describes what is not read.</exception>
    public static AdapterConfig Load(string path)
    {
        using JsonDocument document = JsonFile.Parse(path, MaxFileLength, Expected);
        try
        {
            return Read(document.RootElement, path);
        }
        catch (Exception fault) when (JsonFile.IsFault(fault) || fault is FormatException or KeyNotFoundException)
        {
            throw new Gpt2Exception(Gpt2Error.NotAFormat, $"'{path}' is not {Expected}; copy or download it again.", path, fault);
        }
    }

    /// <summary>Writes the file as PEFT reads it.</summary>
    /// <param name="rank">The rank.</param>
    /// <param name="alpha"><c>lora_alpha</c>.</param>
    /// <param name="baseModel">What the model is called.</param>
    /// <param name="targets">The projections that have an adapter, by PEFT's names or the ends of them.</param>
    public static byte[] Format(int rank, double alpha, string baseModel, IEnumerable<string> targets)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            json.WriteStartObject();
            json.WriteString("peft_type", "LORA");
            json.WriteString("task_type", "CAUSAL_LM");
            json.WriteString("base_model_name_or_path", baseModel);
            json.WriteNumber("r", rank);
            json.WriteNumber("lora_alpha", alpha);
            json.WriteNumber("lora_dropout", 0.0);
            json.WriteString("bias", "none");
            json.WriteBoolean("fan_in_fan_out", true); // GPT-2's projections are [in, out]
            json.WriteStartArray("target_modules");
            foreach (string target in targets) json.WriteStringValue(target);
            json.WriteEndArray();
            json.WriteBoolean("inference_mode", true);
            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    private static AdapterConfig Read(JsonElement root, string path)
    {
        string? kind = root.TryGetProperty("peft_type", out JsonElement type) ? type.GetString() : null;
        Require(kind == "LORA", $"'{path}' describes an adapter of the kind '{kind}', and low-rank adapters alone are read ('LORA')");
        foreach (string key in Beyond)
            Require(!root.TryGetProperty(key, out JsonElement value) || IsUnset(value), $"'{path}' has {key} set, which is not read");
        string bias = root.TryGetProperty("bias", out JsonElement biases) ? biases.GetString() ?? "none" : "none";
        Require(bias == "none", $"'{path}' says bias = '{bias}', and adapters with biases are not read");
        string? begun = root.TryGetProperty("init_lora_weights", out JsonElement begin) && begin.ValueKind == JsonValueKind.String ? begin.GetString() : null;
        Require(
            begun is null || !Array.Exists(ChangedBases, start => begun.StartsWith(start, StringComparison.Ordinal)),
            $"'{path}' says init_lora_weights = '{begun}', which changes the weights of the model itself");

        int rank = root.GetProperty("r").GetInt32();
        double alpha = root.GetProperty("lora_alpha").GetDouble();
        if (rank is < 1 or > MaxRank || !double.IsFinite(alpha))
            throw new Gpt2Exception(Gpt2Error.Corrupt, FormattableString.Invariant($"'{path}' says r = {rank} and lora_alpha = {alpha}; expected a rank from 1 to {MaxRank:N0}."), path);
        bool isRootScaled = root.TryGetProperty("use_rslora", out JsonElement stabilized) && stabilized.ValueKind == JsonValueKind.True;
        string? model = root.TryGetProperty("base_model_name_or_path", out JsonElement name) ? name.GetString() : null;
        return new AdapterConfig(rank, alpha, alpha / (isRootScaled ? Math.Sqrt(rank) : rank), model);

        void Require(bool isMet, string otherwise)
        {
            if (!isMet) throw new Gpt2Exception(Gpt2Error.Unsupported, $"{otherwise}; merge it with PEFT and open the merged model.", path);
        }
    }

    private static bool IsUnset(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.False => true,
        JsonValueKind.Object => !value.EnumerateObject().Any(),
        JsonValueKind.Array => value.GetArrayLength() == 0,
        _ => false,
    };
}

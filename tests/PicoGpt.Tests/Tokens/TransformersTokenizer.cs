using System.Text.Json;
using System.Text.Json.Nodes;

namespace PicoGpt.Tests.Tokens;

/// <summary>Writes tokenizers as the transformers library leaves them: the built-in model's vocabulary with tokens added.</summary>
internal static class TransformersTokenizer
{
    private const string Pattern = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    /// <summary>Tokens with every flag, and texts with the ids that Hugging Face's own library gives them.</summary>
    public static JsonElement Known { get; } = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Data", "added-tokens.json"))).RootElement;

    private static string Encoder => File.ReadAllText(Path.Combine(BuiltInModel.Folder, "encoder.json"));

    private static string[] Merges => [.. File.ReadAllLines(Path.Combine(BuiltInModel.Folder, "vocab.bpe")).Skip(1)];

    /// <summary>A <c>tokenizer.json</c>.</summary>
    /// <param name="kind"><c>plain</c>, <c>prefix</c> (a space before texts) or <c>sequence</c> (a template and a pattern of its own).</param>
    /// <param name="change">What is otherwise in it.</param>
    public static string Json(string kind = "plain", Action<JsonObject>? change = null)
    {
        bool isSequence = kind == "sequence";
        JsonObject byteLevel = ByteLevel(addPrefixSpace: kind == "prefix", useRegex: !isSequence);
        JsonObject split = new() { ["type"] = "Split", ["pattern"] = new JsonObject { ["Regex"] = Pattern }, ["behavior"] = "Isolated", ["invert"] = false };
        var tokenizer = new JsonObject
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = JsonNode.Parse(Known.GetProperty("added_tokens").GetRawText()),
            ["normalizer"] = null,
            ["pre_tokenizer"] = isSequence ? new JsonObject { ["type"] = "Sequence", ["pretokenizers"] = new JsonArray(split, byteLevel) } : byteLevel,
            ["post_processor"] = isSequence ? Template() : ByteLevel(addPrefixSpace: true, useRegex: true),
            ["decoder"] = ByteLevel(addPrefixSpace: true, useRegex: true),
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["dropout"] = null,
                ["continuing_subword_prefix"] = isSequence ? "" : null,
                ["byte_fallback"] = false,
                ["vocab"] = JsonNode.Parse(Encoder),
                ["merges"] = new JsonArray([.. Merges.Select(merge => isSequence ? (JsonNode)new JsonArray([.. merge.Split(' ').Select(s => (JsonNode)s)]) : merge)]),
            },
        };
        change?.Invoke(tokenizer);
        return tokenizer.ToJsonString();
    }

    /// <summary>A folder as transformers writes it since version 4.34: two files of byte pairs, and all else in a third.</summary>
    public static void WriteConfigured(string folder)
    {
        WritePairs(folder);
        JsonObject decoder = [];
        foreach (JsonElement token in Known.GetProperty("added_tokens").EnumerateArray())
        {
            JsonObject entry = JsonNode.Parse(token.GetRawText())!.AsObject();
            entry.Remove("id");
            decoder[$"{token.GetProperty("id").GetInt32()}"] = entry;
        }

        var config = new JsonObject { ["added_tokens_decoder"] = decoder, ["bos_token"] = "<|BOS|>", ["eos_token"] = "<|END|>", ["tokenizer_class"] = "GPT2Tokenizer" };
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), config.ToJsonString());
    }

    /// <summary>The two files of byte pairs.</summary>
    public static void WritePairs(string folder)
    {
        File.WriteAllText(Path.Combine(folder, "vocab.json"), Encoder);
        File.WriteAllText(Path.Combine(folder, "merges.txt"), string.Join('\n', Merges.Prepend("#version: 0.2")) + "\n");
    }

    private static JsonObject ByteLevel(bool addPrefixSpace, bool useRegex) =>
        new() { ["type"] = "ByteLevel", ["add_prefix_space"] = addPrefixSpace, ["trim_offsets"] = true, ["use_regex"] = useRegex };

    private static JsonNode Template() => JsonNode.Parse(
        """
        {"type": "TemplateProcessing",
         "single": [{"SpecialToken": {"id": "<|BOS|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
         "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
         "special_tokens": {"<|BOS|>": {"id": "<|BOS|>", "ids": [2048], "tokens": ["<|BOS|>"]}}}
        """)!;
}

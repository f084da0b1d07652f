using System.Text.Json;
using PicoGpt.Files;

namespace PicoGpt.Tokens;

/// <summary>
/// The ids with which a model's texts begin and end, in the files of a Hugging Face folder: <c>generation_config.json</c>, and
/// <c>config.json</c>, which older versions of transformers wrote alone. What the first says of sampling is left to the parameters of a
/// generation.
/// </summary>
internal static class GenerationConfig
{
    public const string FileName = "generation_config.json";

    private const string BeginKey = "bos_token_id";
    private const string EndKey = "eos_token_id";
    private const int MaxFileLength = 1 << 20;

    /// <summary>Reads what files say, the first before the others; those that do not exist say nothing.</summary>
    /// <param name="paths">The files.</param>
    /// <exception cref="Gpt2Exception">A file is not JSON, or has something else than ids.</exception>
    public static SpecialIds Read(params IEnumerable<string> paths)
    {
        var ids = new SpecialIds(null, []);
        foreach (string path in paths.Where(File.Exists))
        {
            using JsonDocument document = JsonFile.Parse(path, MaxFileLength);
            SpecialIds further = Read(document.RootElement, path);
            ids = new SpecialIds(ids.Begin ?? further.Begin, ids.Ends.Count > 0 ? ids.Ends : further.Ends);
        }

        return ids;
    }

    /// <summary>What a file says of how to generate, such as <c>temperature = 0.7</c>: none of it is used. A file that cannot be read says nothing.</summary>
    /// <param name="path">The file, which need not be there.</param>
    public static IReadOnlyList<string> SettingsIn(string path)
    {
        if (!File.Exists(path)) return [];
        try
        {
            using JsonDocument document = JsonFile.Parse(path, MaxFileLength);
            if (document.RootElement.ValueKind != JsonValueKind.Object) return [];
            return [.. document.RootElement.EnumerateObject().Where(IsSetting).Select(key => $"{key.Name} = {key.Value.GetRawText()}")];
        }
        catch (Exception fault) when (fault is Gpt2Exception or InvalidOperationException)
        {
            return [];
        }
    }

    /// <summary>The file.</summary>
    public static byte[] Format(SpecialIds ids)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            json.WriteStartObject();
            Write(json, ids);
            json.WriteEndObject();
        }

        stream.WriteByte((byte)'\n');
        return stream.ToArray();
    }

    /// <summary>Writes the two keys: a number where a text has one end, and a list where it has several.</summary>
    public static void Write(Utf8JsonWriter json, SpecialIds ids)
    {
        if (ids.Begin is { } begin) json.WriteNumber(BeginKey, begin);
        if (ids.Ends is [int only])
        {
            json.WriteNumber(EndKey, only);
            return;
        }

        if (ids.Ends.Count == 0) return;
        json.WriteStartArray(EndKey);
        foreach (int id in ids.Ends) json.WriteNumberValue(id);
        json.WriteEndArray();
    }

    private static bool IsSetting(JsonProperty key) =>
        key.Value.ValueKind != JsonValueKind.Null && !key.Name.StartsWith('_') && key.Name is not (BeginKey or EndKey or "pad_token_id" or "transformers_version" or "use_cache");

    private static SpecialIds Read(JsonElement config, string path)
    {
        if (config.ValueKind != JsonValueKind.Object) throw Bad(path, "is not a JSON object");
        int[] begin = IdsOf(config, BeginKey, path), ends = IdsOf(config, EndKey, path);
        return begin.Length <= 1
            ? new SpecialIds(begin.Length == 0 ? null : begin[0], ends)
            : throw Bad(path, $"says {BeginKey} = {config.GetProperty(BeginKey).GetRawText()}, where one number is expected");
    }

    private static int[] IdsOf(JsonElement config, string key, string path)
    {
        if (!config.TryGetProperty(key, out JsonElement value)) return [];
        return value.ValueKind switch
        {
            JsonValueKind.Null => [],
            JsonValueKind.Number => [IdOf(value)],
            JsonValueKind.Array => [.. value.EnumerateArray().Select(IdOf).Distinct()],
            _ => throw Unexpected(),
        };

        int IdOf(JsonElement id) => id.ValueKind == JsonValueKind.Number && id.TryGetInt32(out int number) ? number : throw Unexpected();

        Gpt2Exception Unexpected() => Bad(path, $"says {key} = {value.GetRawText()}, where the number of a token or a list of such numbers is expected");
    }

    private static Gpt2Exception Bad(string path, string what) => new(Gpt2Error.NotAFormat, $"'{path}' {what}.", path);
}

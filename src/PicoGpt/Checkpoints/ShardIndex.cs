using System.Text.Json;
using System.Text.RegularExpressions;
using PicoGpt.Files;

namespace PicoGpt.Checkpoints;

/// <summary>
/// The index of a checkpoint in several files, as Hugging Face's libraries write it: <c>weight_map</c> names the file of each tensor.
/// </summary>
internal sealed partial class ShardIndex
{
    private const int MaxFileLength = 100_000_000;

    private readonly string _path;
    private readonly Dictionary<string, string> _fileOfTensor;

    private ShardIndex(string path, Dictionary<string, string> fileOfTensor)
    {
        (_path, _fileOfTensor) = (path, fileOfTensor);
        string folder = Path.GetDirectoryName(path)!;
        Files = [.. fileOfTensor.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Select(file => Path.Combine(folder, file))];
    }

    /// <summary>The full paths of the files, each once; all of them are there.</summary>
    public IReadOnlyList<string> Files { get; }

    /// <summary>
    /// The name of the index beside a file that is one of several, by its name: <c>model.safetensors.index.json</c> for
    /// <c>model-00001-of-00002.safetensors</c>; <see langword="null"/> for any other file.
    /// </summary>
    public static string? NameFor(string path)
    {
        Match part = Part().Match(Path.GetFileName(path));
        return part.Success ? $"{part.Groups[1].Value}{part.Groups[2].Value}.index.json" : null;
    }

    /// <exception cref="Gpt2Exception">The index is missing or not as it should be, or a file that it names is missing.</exception>
    public static ShardIndex Load(string path)
    {
        try
        {
            using JsonDocument document = JsonFile.Parse(path, MaxFileLength);
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("weight_map", out JsonElement map)
                || map.ValueKind != JsonValueKind.Object)
                throw Bad(path, "has no object 'weight_map'");

            var index = new ShardIndex(path, map.EnumerateObject().ToDictionary(p => p.Name, p => FileName(path, p.Value), StringComparer.Ordinal));
            return index.Files.FirstOrDefault(file => !File.Exists(file)) is { } missing
                ? throw new Gpt2Exception(
                    Gpt2Error.FileNotFound, $"The file '{missing}', which '{path}' names, is missing{UnfinishedDownload.ClauseOf(missing)}; copy or download it too.", missing)
                : index;
        }
        catch (InvalidOperationException fault)
        {
            throw Bad(path, "has a name that is not text", fault);
        }
    }

    /// <summary>Checks that every tensor that the index names is there.</summary>
    public void Check(ITensorSource source)
    {
        HashSet<string> there = new(source.Tensors.Select(tensor => tensor.Name), StringComparer.Ordinal);
        if (_fileOfTensor.Keys.FirstOrDefault(name => !there.Contains(name)) is { } missing)
        {
            throw new Gpt2Exception(
                Gpt2Error.Corrupt,
                $"'{_path}' says that tensor '{missing}' is in '{_fileOfTensor[missing]}', but it is not; the files are of different checkpoints.",
                _path);
        }
    }

    [GeneratedRegex(@"^(.+)-\d{5}-of-(?!00001)\d{5}(\.safetensors|\.bin)$")]
    private static partial Regex Part();

    // An index may come from anywhere, so it may name no file outside its own folder.
    private static string FileName(string path, JsonElement value)
    {
        string? name = value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        if (string.IsNullOrEmpty(name) || name is "." or ".." || name.AsSpan().ContainsAny("/\\:\0") || FileSystemFacts.OfThisMachine.IsDevice(name))
            throw Bad(path, $"names '{value}' where the name of a file in its folder should be");
        return name;
    }

    private static Gpt2Exception Bad(string path, string what, Exception? inner = null) =>
        new(Gpt2Error.NotAFormat, $"'{path}' {what}; is it the index of a checkpoint in several files?", path, inner);
}

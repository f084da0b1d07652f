using System.Text.Json;
using PicoGpt.Files;

namespace PicoGpt;

/// <summary>
/// Ollama's folder of models: files that are called by their digests, in <c>blobs</c>, and lists of what each model has, in
/// <c>manifests/registry/owner/model/tag</c>.
/// </summary>
internal static class OllamaStore
{
    private const string Weights = "application/vnd.ollama.image.model", Library = "library";

    // More models than people have, and bytes than a list has.
    private const int MaxModels = 50, MaxLength = 1 << 20;

    /// <summary>The weights of the models that a folder has, each with its name; none where it is no such folder.</summary>
    /// <param name="folder">Ollama's folder, or the one named <c>models</c> in it.</param>
    public static IReadOnlyList<(string Name, string Path)> ModelsIn(string folder)
    {
        string[] roots = [folder, Path.Combine(folder, "models")];
        return Array.Find(roots, root => Directory.Exists(Path.Combine(root, "manifests")) && Directory.Exists(Path.Combine(root, "blobs"))) is { } found
            ? [.. Manifests(found).Take(MaxModels).Select(manifest => (NameOf(found, manifest), WeightsOf(found, manifest)!)).Where(model => model.Item2 is not null)]
            : [];
    }

    private static IEnumerable<string> Manifests(string root)
    {
        IEnumerable<string> folders = [Path.Combine(root, "manifests")];
        for (int depth = 0; depth < 3; depth++) folders = folders.SelectMany(ReadableFolder.Folders);
        return folders.SelectMany(folder => ReadableFolder.Files(folder, "*")).Order(StringComparer.Ordinal);
    }

    // As Ollama has it: "gpt2:latest", "somebody/gpt2:latest".
    private static string NameOf(string root, string manifest)
    {
        string[] parts = Path.GetRelativePath(root, manifest).Split(Path.DirectorySeparatorChar);
        return $"{(parts[^3] == Library ? "" : parts[^3] + "/")}{parts[^2]}:{parts[^1]}";
    }

    private static string? WeightsOf(string root, string manifest)
    {
        try
        {
            using JsonDocument list = JsonFile.Parse(manifest, MaxLength);
            string? digest = list.RootElement.GetProperty("layers").EnumerateArray()
                .Where(layer => layer.GetProperty("mediaType").GetString() == Weights).Select(layer => layer.GetProperty("digest").GetString()).FirstOrDefault();
            string? path = digest is null ? null : Path.Combine(root, "blobs", digest.Replace(':', '-'));
            return File.Exists(path) ? path : null;
        }
        catch (Exception fault) when (fault is Gpt2Exception or InvalidOperationException or KeyNotFoundException)
        {
            return null; // what is no list of Ollama's is no model of it
        }
    }
}

using PicoGpt.Checkpoints;
using PicoGpt.Files;
using PicoGpt.Tokens;

namespace PicoGpt;

/// <summary>What a folder is in which there are no weights that would be opened, and what to give in its place.</summary>
internal static class EmptyFolder
{
    // More files and folders than a model has.
    private const int MaxInspected = 50;

    // The bytes of a model that is worth a word.
    private const int LeastOfWeights = 1 << 20;

    /// <summary>The fault that says it; <see langword="null"/> where nothing in the folder tells.</summary>
    /// <exception cref="Gpt2Exception">The folder cannot be listed.</exception>
    public static Gpt2Exception? FaultOf(string folder)
    {
        string[] files = [.. ReadableFolder.Files(folder, "*").Order(StringComparer.Ordinal)];
        return files.Where(IsNamedAsWeights).Select(ReadableFile.DanglingLink).FirstOrDefault(fault => fault is not null)
            ?? Ollama(folder) ?? Unpacked(folder) ?? Several(folder, files) ?? Below(folder) ?? Unfinished(folder) ?? Misnamed(folder, files)
            ?? Foreign(folder, files);
    }

    private static bool IsNamedAsWeights(string path) => CheckpointFormats.All.Any(format => format.HasName(path));

    private static Gpt2Exception? Ollama(string folder) => OllamaStore.ModelsIn(folder) is { Count: > 0 } models
        ? Fault(folder, $"is Ollama's folder of models; give the file of {(models.Count > 1 ? "one of them, " : "")}{string.Join(", ", models.Select(model => $"{model.Name}, '{model.Path}'"))}")
        : null;

    // torch.save's archive, which some programs for archives unpack without being asked.
    private static Gpt2Exception? Unpacked(string folder) =>
        File.Exists(Path.Combine(folder, "data.pkl")) && Directory.Exists(Path.Combine(folder, "data"))
            ? Fault(folder, "is an unpacked archive of PyTorch's; give the file that it was, or pack the folder into one without compression (zip -0 -r model.pt)")
            : null;

    private static Gpt2Exception? Several(string folder, IEnumerable<string> all)
    {
        string[] weights = [.. all.Take(MaxInspected).Where(HoldsWeights).Select(path => Path.GetFileName(path)!)];
        string?[] indexes = [.. weights.Select(ShardIndex.NameFor).Distinct()];
        if (indexes is [{ } index])
        {
            string files = weights.Length > 1 ? $"a checkpoint in several files ({Excerpt.Quoted(weights)})" : $"one file of a checkpoint in several, '{weights[0]}'";
            return Fault(folder, $"has {files}, but not '{index}', which tells what is in which; copy it too");
        }

        return weights.Length < 2 ? null : Fault(folder, $"holds several files of weights; give one of {Excerpt.Quoted(weights)}");
    }

    private static bool HoldsWeights(string path)
    {
        byte[] start = StartOf(path);
        return CheckpointFormats.All.Any(format => format.HasName(path) && format.HasContent(path, start));
    }

    // Ollama's blobs, which are called by their digests, and pytorch_model.zip; not a trainer's optimizer.pt.
    private static Gpt2Exception? Misnamed(string folder, IEnumerable<string> files)
    {
        string[] weights = [.. files.Take(MaxInspected).Where(path => !IsNamedAsWeights("any" + Path.GetExtension(path)) && HasContent(path, StartOf(path)))];
        return weights.Length == 0
            ? null
            : Fault(folder, $"has no file that is named as weights; give {(weights.Length > 1 ? "one of those that hold some, " : "")}{Excerpt.Quoted(weights)}");
    }

    // The hub's cache, a trainer's checkpoint-500, a SavedModel's variables, models side by side, a program's folder with models/124M.
    private static Gpt2Exception? Below(string folder)
    {
        string snapshots = Path.Combine(folder, HubCache.Snapshots);
        bool isHub = Directory.Exists(snapshots);
        string[] below = ReadableFolder.Folders(isHub ? snapshots : folder), models = [.. below.Take(MaxInspected).Where(HoldsCheckpoint)];
        if (models.Length == 0) models = [.. below.SelectMany(FoldersIn).Take(MaxInspected).Where(HoldsCheckpoint)];
        if (models.Length == 0)
            models = [.. below.Select(model => Path.Combine(model, HubCache.Snapshots)).Where(Directory.Exists).SelectMany(FoldersIn).Take(MaxInspected).Where(HoldsCheckpoint)];
        if (models.Length == 0) return null;
        models = [.. models.OrderByDescending(Directory.GetLastWriteTimeUtc).ThenBy(path => path, StringComparer.Ordinal)]; // the newest first
        string what = isHub ? "is a model's folder in Hugging Face's cache" : "has no weights of its own";
        return Fault(folder, $"{what}; give {(models.Length > 1 ? "one of the folders below it, " : "")}{Excerpt.Quoted(models)}");
    }

    private static Gpt2Exception? Unfinished(string folder) => UnfinishedDownload.In(folder) is { } part
        ? Fault(folder, $"has no whole weights: '{Path.GetRelativePath(folder, part)}' is a download that is under way, or was broken off; let it end, or fetch the file again")
        : null;

    private static bool HasContent(string path, byte[] start) => CheckpointFormats.All.Any(format => format.HasContent(path, start));

    private static bool HoldsCheckpoint(string folder)
    {
        try
        {
            return CheckpointFormats.FindIn(folder) is not null;
        }
        catch (Gpt2Exception)
        {
            return false; // what cannot be read there is not what is wrong here
        }
    }

    private static byte[] StartOf(string path)
    {
        try
        {
            return ReadableFile.ReadStart(path, ForeignWeights.InspectedLength);
        }
        catch (Gpt2Exception)
        {
            return [];
        }
    }

    private static Gpt2Exception? Foreign(string folder, IEnumerable<string> files)
    {
        string[] below = [.. ReadableFolder.Folders(folder).Order(StringComparer.Ordinal).Take(MaxInspected)];
        IEnumerable<string> named = below.Concat(below.SelectMany(FilesIn)).Where(ForeignWeights.IsNamed); // of the others nobody knows whose they are
        foreach (string file in files.Where(IsNoVocabulary).Take(MaxInspected).Concat(named))
        {
            if (ForeignWeights.KindOf(file, StartOf(file)) is { } kind)
            {
                return new Gpt2Exception(
                    Gpt2Error.Unsupported, $"'{folder}' has no weights that are read; its '{Path.GetRelativePath(folder, file)}' is {kind.What}: {kind.Advice}.", file);
            }
        }

        return null;
    }

    /// <summary>The largest file of a folder that has nothing but it and a vocabulary, as a clause that follows; empty where all are small.</summary>
    public static string OtherClause(string folder)
    {
        FileInfo? largest = ReadableFolder.Files(folder, "*").Where(IsNoVocabulary).Select(path => new FileInfo(path)).Where(file => file.Exists).MaxBy(file => file.Length);
        return largest is { Length: >= LeastOfWeights } ? $" ('{largest.Name}' beside it holds none that are read)" : "";
    }

    private static bool IsNoVocabulary(string path) => !VocabularyFormats.IsNamed(Path.GetFileName(path));

    private static IEnumerable<string> FilesIn(string folder) => Listed(() => ReadableFolder.Files(folder, "*"));

    private static IEnumerable<string> FoldersIn(string folder) => Listed(() => ReadableFolder.Folders(folder));

    private static IEnumerable<string> Listed(Func<string[]> list)
    {
        try
        {
            return list().Order(StringComparer.Ordinal);
        }
        catch (Gpt2Exception)
        {
            return []; // what cannot be read there is not what is wrong here
        }
    }

    private static Gpt2Exception Fault(string folder, string what) => new(Gpt2Error.FileNotFound, $"'{folder}' {what}.", folder);
}

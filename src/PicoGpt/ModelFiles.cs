using PicoGpt.Architecture;
using PicoGpt.Checkpoints;
using PicoGpt.Checkpoints.Numpy;
using PicoGpt.Checkpoints.PyTorch;
using PicoGpt.Checkpoints.Safetensors;
using PicoGpt.Checkpoints.TensorFlow;
using PicoGpt.Files;
using PicoGpt.Tokens;
using PicoGpt.Weights;

namespace PicoGpt;

/// <summary>Finds the files of a model: of which format the weights are, and where what belongs to them lies.</summary>
internal static class ModelFiles
{
    private const string RunsFolder = "checkpoint";
    private const string ModelsFolder = "models";
    private const string IndexExtension = ".index.json";

    /// <summary>Opens the weights that a path means: a folder, or a file of any format.</summary>
    /// <exception cref="Gpt2Exception">There are none, or they are damaged.</exception>
    public static ITensorSource OpenWeights(string path)
    {
        string found = Find(path);
        if (ListerOf(found) is not { } list) return TensorBundle.Open(found);
        bool isSharded = found.EndsWith(IndexExtension, StringComparison.OrdinalIgnoreCase);
        return isSharded ? MappedSource.OpenSharded(found, list) : MappedSource.Open(found, list);
    }

    /// <summary>Opens the TensorFlow checkpoint that a path means, GPT-2 or not.</summary>
    /// <exception cref="Gpt2Exception">There is none, it is damaged, or the weights are of another format.</exception>
    public static TensorBundle OpenTensorFlow(string path)
    {
        string found = Find(path);
        return ListerOf(found) is null
            ? TensorBundle.Open(found)
            : throw new Gpt2Exception(
                Gpt2Error.Unsupported, $"'{found}' is no TensorFlow checkpoint, whose tensors alone -Raw lists; leave -Raw out.", found);
    }

    private static string Find(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string fullPath = Path.GetFullPath(path);
        if (Path.GetFileName(fullPath) is HuggingFaceConfig.FileName or Gpt2HyperParameters.FileName && File.Exists(fullPath))
            fullPath = Path.GetDirectoryName(fullPath)!;
        return Directory.Exists(fullPath) ? WeightsIn(Path.TrimEndingDirectorySeparator(fullPath)) : fullPath;
    }

    /// <summary>What lists the tensors of a file; <see langword="null"/> where it is for TensorFlow's reader.</summary>
    private static Func<ShardMappings, int, IEnumerable<StoredTensor>>? ListerOf(string path)
    {
        if (!File.Exists(path)) return null;
        if (HasEnd(Safetensors.Extension) || HasEnd(Safetensors.IndexExtension)) return Safetensors.ListTensors;
        if (HasEnd(Npz.Extension)) return Npz.ListTensors;
        return HasEnd(TorchArchive.IndexFileName) || TorchArchive.Extensions.Any(HasEnd) ? TorchArchive.ListTensors : null;

        bool HasEnd(string end) => path.EndsWith(end, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>The shape of the model whose weights lie in a folder.</summary>
    /// <exception cref="Gpt2Exception">A file that tells it is not as it should be, or the weights are no GPT-2's.</exception>
    public static Gpt2HyperParameters ReadHyperParameters(string folder, ITensorSource source)
    {
        string hparams = Path.Combine(folder, Gpt2HyperParameters.FileName), config = Path.Combine(folder, HuggingFaceConfig.FileName);
        if (File.Exists(hparams)) return Gpt2HyperParameters.Load(hparams);
        return File.Exists(config)
            ? HuggingFaceConfig.Load(config)
            : InferredHyperParameters.Of(source, ModelsBeside(folder).Select(HyperParametersIn).OfType<Gpt2HyperParameters>());
    }

    /// <summary>The folder of the vocabulary: the weights' own, or where a fine-tuned model's weights came from.</summary>
    public static string FolderOfVocabulary(string folder, Gpt2HyperParameters hyperParameters) => BytePairEncoder.FilesIn(folder) is not null
        ? folder
        : ModelsBeside(folder).FirstOrDefault(other => BytePairEncoder.FilesIn(other) is not null && HyperParametersIn(other) == hyperParameters)
            ?? folder;

    /// <summary>The file of the weights in a folder, or the folder itself where it is for TensorFlow's reader.</summary>
    private static string WeightsIn(string folder)
    {
        if (File.Exists(Path.Combine(folder, CheckpointState.FileName)) || ReadableFolder.Files(folder, "*.index").Length > 0) return folder;
        string[] names = [Safetensors.FileName, Safetensors.IndexFileName, TorchArchive.FileName, TorchArchive.IndexFileName];
        string[] files = [.. names.Select(name => Path.Combine(folder, name)).Where(File.Exists)];
        return files.FirstOrDefault() ?? OnlyNpzIn(folder) ?? RunIn(folder) ?? folder;
    }

    private static string? OnlyNpzIn(string folder)
    {
        string[] files = ReadableFolder.Files(folder, "*" + Npz.Extension);
        return files.Length == 1 ? files[0] : null;
    }

    /// <summary>The only run of a folder in which OpenAI's model was fine-tuned: <c>checkpoint/run1</c>.</summary>
    private static string? RunIn(string folder)
    {
        string runs = Path.GetFileName(folder) == RunsFolder ? folder : Path.Combine(folder, RunsFolder);
        if (!Directory.Exists(runs)) return null;
        string[] found = [.. ReadableFolder.Folders(runs).Where(run => File.Exists(Path.Combine(run, CheckpointState.FileName)))];
        return found.Length <= 1
            ? found.FirstOrDefault()
            : throw new Gpt2Exception(
                Gpt2Error.FileNotFound,
                $"'{runs}' holds several runs; give one of {string.Join(", ", found.Order(StringComparer.Ordinal).Take(5).Select(f => $"'{f}'"))} as path.",
                runs);
    }

    // nshepperd's code and gpt-2-simple keep models/124M and checkpoint/run1 in one folder; the first leaves only weights in the run.
    private static IEnumerable<string> ModelsBeside(string folder)
    {
        DirectoryInfo? runs = Directory.GetParent(folder);
        if (runs is not { Name: RunsFolder, Parent: { } root }) return [];
        string models = Path.Combine(root.FullName, ModelsFolder);
        return Directory.Exists(models) ? ReadableFolder.Folders(models).Order(StringComparer.Ordinal) : [];
    }

    private static Gpt2HyperParameters? HyperParametersIn(string folder)
    {
        string path = Path.Combine(folder, Gpt2HyperParameters.FileName);
        return File.Exists(path) ? Gpt2HyperParameters.Load(path) : null;
    }
}

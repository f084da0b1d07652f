using PicoGpt.Checkpoints;
using PicoGpt.Checkpoints.Gguf;
using PicoGpt.Checkpoints.Numpy;
using PicoGpt.Checkpoints.PyTorch;
using PicoGpt.Checkpoints.Safetensors;
using PicoGpt.Checkpoints.TensorFlow;
using PicoGpt.Files;

namespace PicoGpt;

/// <summary>The formats of checkpoints, in the order in which a folder is searched for them.</summary>
internal static class CheckpointFormats
{
    // What a path that leads to no file may be the prefix of.
    private static readonly TensorFlowFormat ByPrefix = new();

    /// <summary>All of them.</summary>
    public static IReadOnlyList<CheckpointFormat> All { get; } = [ByPrefix, new SafetensorsFormat(), new TorchFormat(), new GgufFormat(), new NpzFormat()];

    /// <summary>Those that are written too, by name.</summary>
    public static IReadOnlyList<WritableFormat> Writable { get; } =
        [.. All.OfType<WritableFormat>().OrderBy(format => format.Name, StringComparer.Ordinal)];

    /// <summary>The format of a name, in any case, to be written.</summary>
    /// <exception cref="Gpt2Exception">There is none.</exception>
    public static WritableFormat ToWrite(string name) =>
        Writable.FirstOrDefault(format => format.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) ?? throw new Gpt2Exception(
            Gpt2Error.InvalidArgument, $"There is no format named '{name}' to write; the names are {string.Join(", ", Writable.Select(format => format.Name))}.");

    /// <summary>The checkpoint of a folder and its format; <see langword="null"/> where there is none.</summary>
    public static (CheckpointFormat Format, string Path)? FindIn(string folder)
    {
        foreach (CheckpointFormat format in All)
        {
            if (format.FindIn(folder) is { } found) return (format, found);
        }

        return BundlePath.MayBeFolder(folder) ? (ByPrefix, folder) : null; // its reader tells what is wrong with it
    }

    /// <summary>The format of a file, or of what a prefix of files' names stands for.</summary>
    /// <exception cref="Gpt2Exception">The file cannot be read, or is of none.</exception>
    public static CheckpointFormat Of(string path)
    {
        if (ReadableFile.DanglingLink(path) is { } fault) throw fault;
        if (!File.Exists(path))
        {
            ThrowIfNoPrefix(path);
            return ByPrefix;
        }

        byte[] start = ReadableFile.ReadStart(path, ForeignWeights.InspectedLength);
        CheckpointFormat? named = All.FirstOrDefault(format => format.HasName(path));
        if (named?.HasContent(path, start) == true) return named;
        return All.FirstOrDefault(format => format.HasContent(path, start)) ?? named ?? throw Unknown(path, start);
    }

    // Of a file that is not there the end of the name may tell that it is no prefix; .ckpt is in PyTorch's names and in prefixes.
    private static void ThrowIfNoPrefix(string path)
    {
        bool mayBe = ByPrefix.HasName(path) || path.EndsWith(".ckpt", StringComparison.OrdinalIgnoreCase) || !All.Any(format => format.HasName(path));
        if (!mayBe && !File.Exists(BundlePath.IndexFile(path)))
            throw new Gpt2Exception(Gpt2Error.FileNotFound, $"The file '{path}' does not exist{UnfinishedDownload.ClauseOf(path)}{MissingPath.NearClause(path)}.", path);
    }

    /// <summary>The fault of a folder that holds no checkpoint.</summary>
    public static Gpt2Exception NoneIn(string folder) => new(
        Gpt2Error.FileNotFound, $"There is no checkpoint in '{folder}': it has neither {Listed(All.Select(format => format.FolderMark), "nor")}.", folder);

    private static Gpt2Exception Unknown(string path, byte[] start)
    {
        ForeignFile.ThrowIfForeign(path, start);
        if (ForeignWeights.FaultOf(path, start) is { } fault) return fault;
        string marks = Listed(All.Select(format => format.FileMark), "or");
        return new Gpt2Exception(Gpt2Error.NotAFormat, $"'{path}' is not a file of a checkpoint; give the model's folder, or {marks}.", path);
    }

    private static string Listed(IEnumerable<string> words, string last)
    {
        string[] all = [.. words];
        return $"{string.Join(", ", all[..^1])}, {last} {all[^1]}";
    }
}

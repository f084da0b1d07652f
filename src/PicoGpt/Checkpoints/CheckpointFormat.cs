using PicoGpt.Files;

namespace PicoGpt.Checkpoints;

/// <summary>
/// A format of checkpoints: how its files are recognized and opened. A format that is recognized only to be refused by name refuses
/// when it is opened.
/// </summary>
internal abstract class CheckpointFormat
{
    /// <summary>What it is called where a format is asked for.</summary>
    public abstract string Name { get; }

    /// <summary>What a folder has that is a checkpoint of this format, in words: <c>a model.safetensors</c>.</summary>
    public abstract string FolderMark { get; }

    /// <summary>What its files are called, in words: <c>a '.safetensors' file</c>.</summary>
    public abstract string FileMark { get; }

    /// <summary>What is to be opened in a folder; <see langword="null"/> where it holds no checkpoint of this format.</summary>
    /// <exception cref="Gpt2Exception">The folder cannot be listed.</exception>
    public abstract string? FindIn(string folder);

    /// <summary>Whether a file's name is one of this format's.</summary>
    public abstract bool HasName(string path);

    /// <summary>Whether a file is of this format beyond doubt, whatever it is called; cheap.</summary>
    /// <param name="path">The file.</param>
    /// <param name="start">Its first bytes, 512 of a file that has them.</param>
    public abstract bool HasContent(string path, ReadOnlySpan<byte> start);

    /// <summary>Opens a checkpoint.</summary>
    /// <param name="path">A file of this format, or what <see cref="FindIn"/> found.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="Gpt2Exception">It is damaged, or not of this format in spite of its name.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public abstract ITensorSource Open(string path, CancellationToken cancellationToken = default);

    /// <summary>Whether a path ends in one of some texts, in any case.</summary>
    protected static bool HasEnd(string path, params ReadOnlySpan<string> ends)
    {
        foreach (string end in ends)
        {
            if (path.EndsWith(end, StringComparison.OrdinalIgnoreCase)) return true;
        }

        return false;
    }

    /// <summary>The first of some files that a folder has.</summary>
    protected static string? FirstIn(string folder, params IEnumerable<string> names) =>
        names.Select(name => Path.Combine(folder, name)).FirstOrDefault(ReadableFile.IsThere);

    /// <summary>The file of a folder whose name matches one of some patterns and is one of this format's, if it is the only one, and no part of a checkpoint.</summary>
    protected string? OnlyOne(string folder, params string[] patterns) =>
        ReadableFolder.Files(folder, patterns).Where(path => HasName(path) && IsOneOf(path)).ToArray() is [string only]
            && ShardIndex.NameFor(only) is null && ReadableFile.IsThere(only)
            ? only
            : null;

    /// <summary>Whether a file of a folder, of whose name this format's are, is to be counted among them.</summary>
    protected virtual bool IsOneOf(string path) => true;
}

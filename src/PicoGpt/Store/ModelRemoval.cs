using PicoGpt.Files;

namespace PicoGpt.Store;

/// <summary>What is deleted from a model's folder in the cache when the model is removed, and what stays.</summary>
/// <param name="Folder">The full path of the folder.</param>
/// <param name="Files">
/// What is deleted: the model's own files, finished or not, and converted weights; relative to the folder.
/// </param>
/// <param name="Size">The bytes of these files.</param>
/// <param name="Kept">What stays, and keeps the folder: files and folders that PicoGpt did not put there.</param>
/// <param name="LinkTarget">Where the folder leads if it is a link, which alone is then deleted; <see langword="null"/> for a folder.</param>
public sealed record ModelRemoval(
    string Folder, IReadOnlyList<string> Files, long Size, IReadOnlyList<string> Kept, string? LinkTarget)
{
    /// <summary>Whether there is nothing to delete.</summary>
    public bool IsEmpty => Files.Count == 0 && LinkTarget is null;

    /// <summary>What would be deleted from a model's folder, and what would stay.</summary>
    internal static ModelRemoval Of(string folder, CatalogModel model)
    {
        var info = new DirectoryInfo(folder);
        if (info.LinkTarget is { } target) return new ModelRemoval(folder, [], 0, [], target);
        if (!info.Exists) return new ModelRemoval(folder, [], 0, [], null);
        HashSet<string> own = [.. model.Files.SelectMany(file => PartFile.NamesOf(file.Name))];
        List<FileInfo> files = [];
        List<string> kept = [];
        foreach (FileSystemInfo entry in EntriesOf(info))
        {
            if (entry is FileInfo file && own.Contains(file.Name)) files.Add(file);
            else if (entry is DirectoryInfo { Name: ConvertedFolder.Name, LinkTarget: null } converted) Sort(converted, files, kept);
            else kept.Add(entry.Name);
        }

        return new ModelRemoval(folder, [.. files.Select(file => Path.GetRelativePath(folder, file.FullName))], files.Sum(LengthOf), kept, null);
    }

    /// <summary>Deletes what is to be deleted.</summary>
    internal void Execute()
    {
        if (LinkTarget is not null)
        {
            if (Directory.Exists(Folder)) Directory.Delete(Folder);
            else File.Delete(Folder); // a link that leads to no folder
            return;
        }

        // The largest first: if somebody has a file open, it is that one, and then nothing was deleted yet.
        foreach (FileInfo file in Files.Select(file => new FileInfo(Path.Combine(Folder, file))).OrderByDescending(LengthOf))
            Delete(file);
        DeleteIfEmpty(Path.Combine(Folder, ConvertedFolder.Name));
        DeleteIfEmpty(Folder);
    }

    private static void Delete(FileInfo file)
    {
        try
        {
            BusyFile.Do(BusyFile.Patiently, file.Delete);
        }
        catch (Exception fault) when (UnwritableFile.RefusalOf(file.FullName, fault) is not WriteRefusal.Other and var refusal)
        {
            throw Undeletable(file.FullName, refusal, fault);
        }
    }

    private static Gpt2Exception Undeletable(string path, WriteRefusal refusal, Exception fault) => refusal == WriteRefusal.InUse
        ? new Gpt2Exception(Gpt2Error.InUse, $"'{path}' cannot be deleted, {UnwritableFile.IsOpen}.", path, fault)
        : new Gpt2Exception(Gpt2Error.Unwritable, $"'{path}' cannot be deleted, since it is marked as read-only; take that mark away and try again.", path, fault);

    private static void Sort(DirectoryInfo converted, List<FileInfo> files, List<string> kept)
    {
        foreach (FileSystemInfo entry in EntriesOf(converted))
        {
            if (entry is FileInfo file && ConvertedFolder.IsOwn(file.Name)) files.Add(file);
            else kept.Add($"{converted.Name}/{entry.Name}");
        }
    }

    // Somebody else may remove the model, and finish its files, while they are listed.
    private static FileSystemInfo[] EntriesOf(DirectoryInfo folder)
    {
        try
        {
            return [.. folder.EnumerateFileSystemInfos().OrderBy(entry => entry.Name, StringComparer.Ordinal)];
        }
        catch (Exception fault) when (FileSystemFacts.OfThisMachine.IsMissing(fault)) // whether it is there again by now or not
        {
            return [];
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException && !Directory.Exists(folder.FullName)) // about to vanish
        {
            return [];
        }
    }

    private static long LengthOf(FileInfo file)
    {
        try
        {
            return file.LinkTarget is null ? file.Length : 0;
        }
        catch (Exception fault) when (FileSystemFacts.OfThisMachine.IsMissing(fault))
        {
            return 0;
        }
    }

    private static void DeleteIfEmpty(string folder)
    {
        var info = new DirectoryInfo(folder);
        if (info is { Exists: true, LinkTarget: null } && !info.EnumerateFileSystemInfos().Any()) BusyFile.Do(BusyFile.Patiently, info.Delete);
    }
}

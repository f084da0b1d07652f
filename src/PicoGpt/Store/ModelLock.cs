using System.Globalization;
using PicoGpt.Files;

namespace PicoGpt.Store;

/// <summary>
/// Lets one process at a time change a model's folder. The lock is an open handle on an empty file, so the operating system releases
/// it when a process dies; the file stays, since deleting it would let two processes lock two files of the same name.
/// </summary>
internal sealed class ModelLock : IDisposable
{
    private const string Folder = ".locks";
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(100);

    private readonly FileStream _file;
    private readonly string _ownerPath;

    private ModelLock(FileStream file, string ownerPath)
    {
        _file = file;
        _ownerPath = ownerPath;

        // The holder of the lock is named in a file beside it, because nobody else can read the locked one.
        string owner = string.Create(CultureInfo.InvariantCulture, $"process {Environment.ProcessId} on {Environment.MachineName}");
        Try(() => OwnFile.Write(ownerPath, owner));
    }

    /// <summary>The folder of a store's locks.</summary>
    public static string FolderOf(string root) => Path.Combine(root, Folder);

    /// <summary>Takes the lock, or says who has it.</summary>
    public static ModelLock? TryTake(string root, string model, out string owner)
    {
        string folder = FolderOf(root);
        Directory.CreateDirectory(folder);
        string path = Path.Combine(folder, model);
        owner = "";
        try
        {
            OwnFile.DeleteLink(path);
            var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1);
            return new ModelLock(file, path + ".owner");
        }
        catch (IOException fault) when (UnwritableFile.IsInUse(fault))
        {
            owner = ReadOwner(path + ".owner");
            return null;
        }
    }

    /// <summary>Takes the lock as soon as it is free.</summary>
    public static async Task<ModelLock> TakeAsync(string root, string model, Action<string> waiting, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (TryTake(root, model, out string owner) is { } taken) return taken;
            waiting(owner);
            await Task.Delay(PollInterval, cancellationToken).ConfigureAwait(false);
        }
    }

    public void Dispose()
    {
        Try(() => File.Delete(_ownerPath));
        _file.Dispose();
    }

    // The note is a courtesy; on Windows somebody who is reading it may keep it from being written.
    private static void Try(Action action)
    {
        try
        {
            action();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
        }
    }

    private static string ReadOwner(string path)
    {
        try
        {
            return OwnFile.Read(path) is { Length: > 0 } owner ? owner : "another process";
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return "another process"; // one that is just taking or releasing the lock
        }
    }
}

using PicoGpt.Files;

namespace PicoGpt.Store;

/// <summary>
/// Shared by everybody who has a model of the cache open, in this process and in others; taken exclusively to remove or repair it.
/// It is an open handle on an empty file, so the operating system releases it when a process dies.
/// </summary>
internal sealed class ModelUse : IDisposable
{
    private readonly FileStream? _file;

    private ModelUse(FileStream? file) => _file = file;

    /// <summary>Marks the model as in use until this is disposed or collected.</summary>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.InUse"/>: it is being removed or repaired.</exception>
    public static ModelUse Share(string root, string model)
    {
        try
        {
            return new ModelUse(Open(root, model, FileAccess.Read, FileShare.Read));
        }
        catch (IOException fault) when (UnwritableFile.IsInUse(fault))
        {
            throw new Gpt2Exception(Gpt2Error.InUse, $"The model {model} is being removed or repaired; try again when that is done.", root, fault);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return new ModelUse(null); // a cache that cannot be written is used anyway
        }
    }

    /// <summary>Keeps everybody else from opening the model.</summary>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.InUse"/>: it is open.</exception>
    public static ModelUse TakeAlone(string root, string model)
    {
        if (TryTakeAlone(root, model) is { } taken) return taken;

        // A model that was dropped without being closed stays open until it is collected.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return TryTakeAlone(root, model) ?? throw new Gpt2Exception(
            Gpt2Error.InUse,
            $"The model {model} is open in this session or another; close it first (its Dispose(), or the end of that session).",
            root);
    }

    public void Dispose() => _file?.Dispose();

    private static ModelUse? TryTakeAlone(string root, string model)
    {
        try
        {
            return new ModelUse(Open(root, model, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException fault) when (UnwritableFile.IsInUse(fault))
        {
            return null;
        }
    }

    private static FileStream Open(string root, string model, FileAccess access, FileShare share)
    {
        string folder = ModelLock.FolderOf(root);
        Directory.CreateDirectory(folder);
        string path = Path.Combine(folder, model + ".use");
        OwnFile.DeleteLink(path);
        return new FileStream(path, FileMode.OpenOrCreate, access, share, bufferSize: 1);
    }
}

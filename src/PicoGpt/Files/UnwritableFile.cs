using System.Text.RegularExpressions;

namespace PicoGpt.Files;

/// <summary>What the operating system says where a file cannot be written, as a sentence.</summary>
internal static partial class UnwritableFile
{
    /// <summary>Why a file that somebody has open cannot be replaced or deleted, and what to do.</summary>
    public const string IsOpen = "since this session or another program has it open; close what reads it (a model by its Dispose(), or the end of that session) and try again";

    /// <summary>Whether an exception says that a file cannot be written.</summary>
    public static bool IsFault(Exception fault) => fault is IOException or UnauthorizedAccessException or NotSupportedException || IsTooLong(fault);

    /// <summary>Why, in words that follow a colon.</summary>
    public static string ReasonOf(Exception fault) => IsTooLong(fault) ? "its file system takes no file of that length" : SystemsPath().Replace(TemporaryFiles.WithoutNames(fault.Message.TrimEnd('.')), "");

    /// <summary>The same of a file, or of a folder that was to hold files; the system says "not found" also where it makes no files, as in Linux's /proc.</summary>
    public static string ReasonOf(string path, Exception fault)
    {
        if (fault is not (DirectoryNotFoundException or FileNotFoundException)) return ReasonOf(fault);
        string first = MissingPath.FolderOf(path) ?? path;
        return File.Exists(first) ? $"'{first}' is a file and not a folder"
            : first != path ? $"the folder '{first}' does not exist"
            : $"no file can be made in '{(Directory.Exists(path) ? path : Path.GetDirectoryName(path))}'";
    }

    /// <summary>Whether there was no room: on the disk, or within the user's quota.</summary>
    public static bool IsFull(Exception fault) => FileSystemFacts.OfThisMachine.IsFull(fault);

    /// <summary>Whether somebody has the file open or mapped, as far as the fault tells; <see cref="RefusalOf"/> knows more.</summary>
    public static bool IsInUse(Exception fault) => FileSystemFacts.OfThisMachine.IsBusy(fault);

    /// <summary>Why a file could not be written, replaced or deleted.</summary>
    /// <param name="path">The file.</param>
    /// <param name="fault">What the system said.</param>
    public static WriteRefusal RefusalOf(string path, Exception fault) => FileSystemFacts.OfThisMachine.RefusalOf(
        fault,
        Path.Exists(path) ? File.GetAttributes(path) : null,
        () => File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete).Dispose());

    /// <summary>The exception for one file that could not be written.</summary>
    public static Gpt2Exception Refused(string path, Exception fault) => Refused(path, fault, FileSystemFacts.OfThisMachine, RefusalOf(path, fault));

    /// <summary>The exception for one file that could not be written, on any system.</summary>
    public static Gpt2Exception Refused(string path, Exception fault, FileSystemFacts facts, WriteRefusal refusal)
    {
        if (facts.IsFull(fault)) return new Gpt2Exception(Gpt2Error.DiskFull, $"The disk became full while '{path}' was written; make room and try again.", path, fault);
        return refusal switch
        {
            WriteRefusal.InUse => new Gpt2Exception(Gpt2Error.InUse, $"'{path}' cannot be replaced, {IsOpen}: it is as it was.", path, fault),
            WriteRefusal.ReadOnly => new Gpt2Exception(Gpt2Error.Unwritable, $"'{path}' cannot be replaced, since it is marked as read-only; take that mark away, or give another path.", path, fault),
            _ => new Gpt2Exception(Gpt2Error.Unwritable, $"'{path}' cannot be written: {ReasonOf(path, fault)}.", path, fault),
        };
    }

    /// <summary>Refuses a file that is marked as read-only, which on Windows means the file itself; on Unix it is a matter of its folder.</summary>
    /// <exception cref="Gpt2Exception">It is.</exception>
    public static void ThrowIfReadOnly(string path)
    {
        if (FileSystemFacts.OfThisMachine.IsWindows && new FileInfo(path) is { Exists: true, IsReadOnly: true })
            throw Refused(path, new UnauthorizedAccessException($"'{path}' is marked as read-only."));
    }

    /// <summary>Refuses a folder that something is in already.</summary>
    /// <exception cref="Gpt2Exception">It is not empty.</exception>
    public static void ThrowIfHoldsFiles(string folder)
    {
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
            throw new Gpt2Exception(Gpt2Error.AlreadyExists, $"'{folder}' already exists and is not empty; choose another path.", folder);
    }

    /// <summary>Refuses a folder in which no file could be made, before the work whose result it is to hold. It need not be there yet, and is not made.</summary>
    /// <param name="folder">The full path.</param>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.Unwritable"/>, or the disk is full.</exception>
    public static void ThrowIfUnwritable(string folder)
    {
        try
        {
            string probe = TemporaryFiles.NewPathIn(MissingPath.NearestThere(folder));
            using var file = new FileStream(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);
        }
        catch (Exception fault) when (IsFault(fault))
        {
            throw Refused(folder, fault);
        }
    }

    /// <summary>Makes the folder of a file, where it is not there.</summary>
    /// <param name="path">The full path of the file.</param>
    /// <exception cref="Gpt2Exception">It cannot be made.</exception>
    public static void MakeFolderOf(string path)
    {
        try
        {
            if (Path.GetDirectoryName(path) is { } folder) Directory.CreateDirectory(folder);
        }
        catch (Exception fault) when (IsFault(fault))
        {
            throw Refused(path, fault);
        }
    }

    /// <summary>Whether a fault is the system's, or what <see cref="Refused(string, Exception)"/> made of it, for what may as well not be written.</summary>
    public static bool IsFaultOrRefusal(Exception fault) => IsFault(fault) || fault is Gpt2Exception { Error: Gpt2Error.InUse or Gpt2Error.Unwritable };

    /// <summary>The exception for a file that exists and is not to be overwritten.</summary>
    public static Gpt2Exception Exists(string path) => new(Gpt2Error.AlreadyExists, $"'{path}' already exists; choose another path.", path);

    /// <summary>Closes a file that is not wanted any more, though there may be no room for its last bytes, and deletes it.</summary>
    public static void Discard(FileStream? file, string path)
    {
        try
        {
            file?.Dispose();
        }
        catch (Exception fault) when (IsFault(fault))
        {
        }

        DeleteIfPossible(path, BusyFile.Patiently);
    }

    /// <summary>Deletes a file that nobody needs, unless somebody has it open who keeps it from being deleted; then it may stay.</summary>
    public static void DeleteIfPossible(string path, TimeSpan patience)
    {
        try
        {
            BusyFile.Do(patience, () => File.Delete(path));
        }
        catch (Exception fault) when (IsFault(fault))
        {
        }
    }

    // "Read-only file system : '/a/b'", and on Windows "The request is not supported. : 'C:\a'", in a sentence that has the path already.
    [GeneratedRegex(@"(?<=\w)\.? : '.*'$")]
    private static partial Regex SystemsPath();

    // So .NET says EFBIG, which comes of FAT at 4 GiB, and of limits.
    private static bool IsTooLong(Exception fault) => fault is ArgumentOutOfRangeException { ParamName: "value" };
}

namespace PicoGpt.Files;

/// <summary>
/// In what the file systems of Linux, macOS and Windows differ. Whoever needs such a fact asks here, so that what follows from the facts of
/// one system can be tried on every other.
/// </summary>
/// <remarks>
/// Faults have the numbers that .NET gives as <see cref="Exception.HResult"/>: on Unix those of errno(3), on Windows 0x80070000 and the
/// number of winerror.h.
/// </remarks>
internal sealed class FileSystemFacts
{
    private const int Win32 = unchecked((int)0x80070000);
    private const int AccessDenied = Win32 | 5;

    /// <summary>Linux, and other systems that are neither macOS nor Windows.</summary>
    public static FileSystemFacts Linux { get; } = new()
    {
        Full = [28, 122], // ENOSPC, EDQUOT
        Busy = [11], // EWOULDBLOCK, of the locks by which .NET's programs tell each other
        NoMemory = [12], // ENOMEM
    };

    /// <summary>macOS.</summary>
    public static FileSystemFacts MacOS { get; } = new()
    {
        Full = [28, 69], // ENOSPC, EDQUOT
        Busy = [35], // EWOULDBLOCK
        NoMemory = [12],
        NameComparison = StringComparison.OrdinalIgnoreCase, // as APFS is made unless asked otherwise
    };

    /// <summary>Windows.</summary>
    public static FileSystemFacts Windows { get; } = new()
    {
        Full = [Win32 | 39, Win32 | 112, Win32 | 1295], // ERROR_HANDLE_DISK_FULL, ERROR_DISK_FULL, ERROR_DISK_QUOTA_EXCEEDED
        Busy = [Win32 | 32, Win32 | 33, Win32 | 303, Win32 | 1224], // ERROR_SHARING_VIOLATION, _LOCK_VIOLATION, _DELETE_PENDING, _USER_MAPPED_FILE
        NoMemory = [Win32 | 8, Win32 | 14, Win32 | 1455], // ERROR_NOT_ENOUGH_MEMORY, ERROR_OUTOFMEMORY, ERROR_COMMITMENT_LIMIT
        NoName = [Win32 | 123, Win32 | 161], // ERROR_INVALID_NAME, ERROR_BAD_PATHNAME
        NameComparison = StringComparison.OrdinalIgnoreCase,
        IsWindows = true,
    };

    /// <summary>The facts of this machine.</summary>
    public static FileSystemFacts OfThisMachine { get; } = OperatingSystem.IsWindows() ? Windows : OperatingSystem.IsMacOS() ? MacOS : Linux;

    /// <summary>How names are compared.</summary>
    public StringComparison NameComparison { get; private init; } = StringComparison.Ordinal;

    /// <summary>Whether names and paths are subject to <see cref="WindowsPath"/>.</summary>
    public bool IsWindows { get; private init; }

    private int[] Full { get; init; } = [];

    private int[] Busy { get; init; } = [];

    private int[] NoMemory { get; init; } = [];

    private int[] NoName { get; init; } = [];

    /// <summary>Whether there was no room: on the disk, or within the user's quota.</summary>
    public bool IsFull(Exception fault) => fault is IOException && Full.Contains(fault.HResult);

    /// <summary>Whether somebody has the file open, or a part of it locked or mapped.</summary>
    public bool IsBusy(Exception fault) => fault is IOException && Busy.Contains(fault.HResult);

    /// <summary>Whether there were no addresses or no memory, which to map a file takes.</summary>
    public bool IsLackOfMemory(Exception fault) => fault is IOException && NoMemory.Contains(fault.HResult);

    /// <summary>Whether there is nothing of that name; on Windows also because nothing can have it, such as one with a <c>*</c>.</summary>
    public bool IsMissing(Exception fault) => fault is FileNotFoundException or DirectoryNotFoundException || (fault is IOException && NoName.Contains(fault.HResult));

    /// <summary>
    /// Whether the fault may be gone in a moment: on Windows whoever reads a file, such as a virus scanner or an indexer, keeps it from being
    /// written, replaced or deleted. Where a file is mapped, open, or about to vanish, Windows denies access, too.
    /// </summary>
    public bool MayPass(Exception fault) => IsWindows && (IsBusy(fault) || IsDenied(fault));

    /// <summary>Why a file could not be replaced or deleted.</summary>
    /// <param name="fault">What the system said.</param>
    /// <param name="attributes">The file's attributes; <see langword="null"/> where it is not there.</param>
    /// <param name="openForWriting">Opens the file for writing and closes it, whoever else has it open.</param>
    /// <remarks>
    /// "Access denied" is what Windows says of a file that may not be touched, and of one that somebody has mapped or open; who may open it
    /// for writing meets the latter.
    /// </remarks>
    public WriteRefusal RefusalOf(Exception fault, FileAttributes? attributes, Action openForWriting)
    {
        if (IsBusy(fault)) return WriteRefusal.InUse;
        if (!IsWindows || !IsDenied(fault) || attributes is not { } known || known.HasFlag(FileAttributes.Directory)) return WriteRefusal.Other;
        if (known.HasFlag(FileAttributes.ReadOnly)) return WriteRefusal.ReadOnly;
        try
        {
            openForWriting();
            return WriteRefusal.InUse;
        }
        catch (Exception other) when (other is IOException or UnauthorizedAccessException)
        {
            return IsBusy(other) ? WriteRefusal.InUse : WriteRefusal.Other;
        }
    }

    /// <summary>Whether a name or path leads to a device rather than a file, wherever it seems to lie.</summary>
    public bool IsDevice(string path) => IsWindows && WindowsPath.HasDeviceName(path);

    /// <summary>
    /// Whether a path that a file names may be followed from that file's folder. A network's path and a device's are not: a downloaded file
    /// must not make this machine call another. Nor is one from the current folder of some drive, which nobody can have meant.
    /// </summary>
    public bool MayFollow(string path)
    {
        string portable = path.Replace('\\', '/');
        bool isElsewhere = portable.StartsWith("//", StringComparison.Ordinal) || portable.StartsWith("/??/", StringComparison.Ordinal);
        return !isElsewhere && !path.Contains('\0', StringComparison.Ordinal) && !(IsWindows && (WindowsPath.IsDriveRelative(path) || WindowsPath.HasDeviceName(path)));
    }

    /// <summary>The last part of a path of any system; on Windows what follows a drive's letter, too, and no name of a stream or a device.</summary>
    /// <returns>A name; empty where there is none.</returns>
    public string NameIn(string path)
    {
        string name = path[(path.LastIndexOfAny(IsWindows ? ['/', '\\', ':'] : ['/', '\\']) + 1)..];
        return name.Contains('\0', StringComparison.Ordinal) || IsDevice(name) ? "" : name;
    }

    /// <summary>A full path as .NET spells it elsewhere.</summary>
    public string Plain(string path) => IsWindows ? WindowsPath.WithoutPrefix(path) : path;

    /// <summary>The folder of a user's caches, for a program.</summary>
    /// <param name="variable">The value of an environment variable.</param>
    /// <param name="folder">A folder of the user's, or an empty text where he has none.</param>
    public string CacheFolder(Func<string, string?> variable, Func<Environment.SpecialFolder, string> folder)
    {
        if (IsWindows) return Path.Combine(folder(Environment.SpecialFolder.LocalApplicationData), "PicoGpt");
        string user = folder(Environment.SpecialFolder.UserProfile);
        if (this == MacOS) return Path.Combine(user, "Library", "Caches", "PicoGpt");
        return variable("XDG_CACHE_HOME") is { } cache && cache.StartsWith('/') ? Path.Combine(cache, "picogpt") : Path.Combine(user, ".cache", "picogpt");
    }

    private static bool IsDenied(Exception fault) => fault is UnauthorizedAccessException || fault.HResult == AccessDenied;
}

namespace PicoGpt.Files;

/// <summary>What the operating system says where a file cannot be written, as a sentence.</summary>
internal static class UnwritableFile
{
    /// <summary>Whether an exception says that a file cannot be written.</summary>
    public static bool IsFault(Exception fault) => fault is IOException or UnauthorizedAccessException or NotSupportedException || IsTooLong(fault);

    /// <summary>Why, in words that follow a colon.</summary>
    public static string ReasonOf(Exception fault) => IsTooLong(fault) ? "its file system takes no file of that length" : fault.Message.TrimEnd('.');

    /// <summary>Whether there was no room: on the disk, or within the user's quota.</summary>
    public static bool IsFull(Exception fault) => fault.HResult switch
    {
        28 => !OperatingSystem.IsWindows(), // ENOSPC
        122 => OperatingSystem.IsLinux(), // EDQUOT
        69 => OperatingSystem.IsMacOS(), // EDQUOT
        unchecked((int)0x80070027) or unchecked((int)0x80070070) => true, // ERROR_HANDLE_DISK_FULL, ERROR_DISK_FULL
        _ => false,
    };

    /// <summary>Whether Windows says that somebody has the file open or mapped: a sharing violation, a lock, a mapped section.</summary>
    public static bool IsInUse(Exception fault) =>
        fault.HResult is unchecked((int)0x80070020) or unchecked((int)0x80070021) or unchecked((int)0x800704C8);

    /// <summary>The exception for one file that could not be written.</summary>
    public static Gpt2Exception Refused(string path, Exception fault) => IsFull(fault)
        ? new Gpt2Exception(Gpt2Error.DiskFull, $"The disk became full while '{path}' was written; make room and try again.", path, fault)
        : new Gpt2Exception(IsInUse(fault) ? Gpt2Error.InUse : Gpt2Error.Unwritable, $"'{path}' cannot be written: {ReasonOf(fault)}.", path, fault);

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

        File.Delete(path);
    }

    // So .NET says EFBIG, which comes of FAT at 4 GiB, and of limits.
    private static bool IsTooLong(Exception fault) => fault is ArgumentOutOfRangeException { ParamName: "value" };
}

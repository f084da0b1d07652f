namespace PicoGpt.Files;

/// <summary>Opens files for reading; what the operating system refuses becomes a sentence.</summary>
internal static class ReadableFile
{
    private const string NullDevice = "/dev/null";

    /// <summary>Opens a file. What has no length is taken for empty: it may be a pipe, which blocks, or a device, which never ends.</summary>
    /// <exception cref="Gpt2Exception">The file is missing, not whole yet, or cannot be opened.</exception>
    public static FileStream Open(string path)
    {
        UnfinishedDownload.ThrowIfOf(path);
        try
        {
            var file = new FileStream(HasNoLength(path) ? NullDevice : path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 1);
            if (file.CanSeek) return file;
            file.Dispose();
            throw new Gpt2Exception(Gpt2Error.Unreadable, $"'{path}' cannot be read: it is not a file, but a device or a pipe.", path);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw Refused(path, fault);
        }
    }

    /// <summary>The exception for a file that could not be opened.</summary>
    public static Gpt2Exception Refused(string path, Exception fault)
    {
        if (FileSystemFacts.OfThisMachine.IsMissing(fault))
            return new Gpt2Exception(Gpt2Error.FileNotFound, $"The file '{path}' is missing{UnfinishedDownload.ClauseOf(path)}.", path, fault);
        Gpt2Error error = FileSystemFacts.OfThisMachine.IsLackOfMemory(fault) ? Gpt2Error.InsufficientMemory : Gpt2Error.Unreadable;
        return new Gpt2Exception(error, $"The file '{path}' cannot be opened: {fault.Message.TrimEnd('.')}.", path, fault);
    }

    /// <summary>Whether there is a file, and not a link alone that leads to nothing.</summary>
    public static bool IsThere(string path) => File.Exists(path) && DanglingLink(path) is null;

    /// <summary>The fault of a link that leads to nothing, such as one of a hub's cache whose file was deleted; otherwise <see langword="null"/>.</summary>
    public static Gpt2Exception? DanglingLink(string path)
    {
        try
        {
            if (new FileInfo(path).LinkTarget is not { } target || File.ResolveLinkTarget(path, returnFinalTarget: true) is not { Exists: false }) return null;
            return new Gpt2Exception(
                Gpt2Error.FileNotFound,
                $"'{path}' is a link to '{target}', which does not exist: a download that did not end, or a file of a cache that was deleted; fetch the model again, "
                    + "or give another folder.",
                path);
        }
        catch (IOException) // links in a circle, which opening tells
        {
            return null;
        }
    }

    /// <summary>The length of a file that is there, or of what it links to: a link's own length is that of a path.</summary>
    public static long LengthOf(string path) => TargetOf(path).Length;

    /// <summary>The first bytes of a file, or all of a shorter one.</summary>
    /// <exception cref="Gpt2Exception">The file is missing or cannot be read.</exception>
    public static byte[] ReadStart(string path, int count)
    {
        try
        {
            using FileStream file = Open(path);
            byte[] start = new byte[count];
            return start[..file.ReadAtLeast(start, count, throwOnEndOfStream: false)];
        }
        catch (IOException fault)
        {
            throw Refused(path, fault);
        }
    }

    /// <summary>The last bytes of a file, or all of a shorter one.</summary>
    public static byte[] ReadEnd(FileStream file, int count)
    {
        byte[] end = new byte[Math.Min(file.Length, count)];
        file.Seek(-end.Length, SeekOrigin.End);
        file.ReadExactly(end);
        return end;
    }

    /// <summary>Whether a path leads to what has no length: an empty file, a pipe, which blocks, or a device, which never ends.</summary>
    public static bool HasNoLength(string path)
    {
        if (OperatingSystem.IsWindows()) return false;
        FileInfo file = TargetOf(path);
        return file is { Exists: true, Length: 0 };
    }

    private static FileInfo TargetOf(string path) => (FileInfo?)File.ResolveLinkTarget(path, returnFinalTarget: true) ?? new FileInfo(path);
}

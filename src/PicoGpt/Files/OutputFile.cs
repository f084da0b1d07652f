namespace PicoGpt.Files;

/// <summary>A file that is written under a temporary name beside its own, and takes that when it is whole.</summary>
internal sealed class OutputFile : IDisposable
{
    // So that progress is told, and a cancellation heard, within a tensor too.
    private const int MaxWriteLength = 4 * 1024 * 1024;

    private readonly string _temporaryPath;
    private readonly WriteMeter? _meter;
    private bool _isFinished;

    /// <param name="path">The full path that it is to have; its folder is there.</param>
    /// <param name="meter">What counts the bytes of <see cref="Write"/>.</param>
    /// <exception cref="Gpt2Exception">No file can have that name.</exception>
    public OutputFile(string path, WriteMeter? meter = null)
    {
        ThrowIfDevice(path);
        Path = path;
        _meter = meter;
        TemporaryFiles.RemoveOrphans(path);
        _temporaryPath = TemporaryFiles.NewPath(path);
        Stream = new FileStream(_temporaryPath, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1 << 16);
    }

    public string Path { get; }

    /// <summary>Throws where a path is one of a device.</summary>
    /// <exception cref="Gpt2Exception">It is.</exception>
    public static void ThrowIfDevice(string path)
    {
        string name = path[(path.TrimEnd('/', '\\').LastIndexOfAny(['/', '\\']) + 1)..];
        if (FileSystemFacts.OfThisMachine.IsDevice(name))
            throw new Gpt2Exception(Gpt2Error.Unwritable, $"'{path}' cannot be written: Windows takes its name for a device's; give another.", path);
    }

    /// <summary>Writes a file whole or not at all: a reader never sees half of it.</summary>
    /// <param name="path">The full path; its folder is there.</param>
    /// <param name="write">Writes the content.</param>
    /// <param name="overwrite">Whether an older file of that name is replaced.</param>
    /// <exception cref="Gpt2Exception">It cannot be written, or is there and is not to be replaced.</exception>
    public static void Save(string path, Action<Stream> write, bool overwrite = true)
    {
        try
        {
            if (Directory.Exists(path)) throw new Gpt2Exception(Gpt2Error.Unwritable, $"'{path}' cannot be written, since it is a folder; give the path of a file.", path);
            if (!overwrite && File.Exists(path)) throw UnwritableFile.Exists(path);
            using var file = new OutputFile(path);
            write(file.Stream);
            file.Finish(overwrite);
        }
        catch (IOException) when (!overwrite && File.Exists(path))
        {
            throw UnwritableFile.Exists(path);
        }
        catch (Exception fault) when (UnwritableFile.IsFault(fault))
        {
            throw UnwritableFile.Refused(path, fault);
        }
    }

    public FileStream Stream { get; }

    /// <summary>Writes what takes long enough to be counted.</summary>
    /// <exception cref="OperationCanceledException">The meter's token was cancelled.</exception>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        for (ReadOnlySpan<byte> rest = bytes; !rest.IsEmpty;)
        {
            ReadOnlySpan<byte> part = rest[..Math.Min(rest.Length, MaxWriteLength)];
            Stream.Write(part);
            _meter?.Add(part.Length);
            rest = rest[part.Length..];
        }
    }

    /// <summary>Whether the file is whole and closed.</summary>
    public bool IsComplete => !Stream.CanWrite;

    /// <summary>Closes the file: it is whole then, but for its name, and the disk has had room for it.</summary>
    public void Complete() => Stream.Dispose();

    /// <summary>Gives the file its name.</summary>
    /// <param name="overwrite">Whether an older one of that name is replaced; otherwise it is an <see cref="IOException"/>.</param>
    /// <exception cref="Gpt2Exception">The older one is in use, or marked as read-only; it is as it was.</exception>
    public void Finish(bool overwrite = true)
    {
        Complete();
        try
        {
            BusyFile.Do(BusyFile.Patiently, () => File.Move(_temporaryPath, Path, overwrite));
        }
        catch (Exception fault) when (overwrite && UnwritableFile.RefusalOf(Path, fault) != WriteRefusal.Other)
        {
            throw UnwritableFile.Refused(Path, fault);
        }

        _isFinished = true;
    }

    /// <summary>Deletes the file if it has its name already.</summary>
    public void Withdraw()
    {
        if (_isFinished) UnwritableFile.DeleteIfPossible(Path, BusyFile.Patiently);
    }

    public void Dispose()
    {
        if (!_isFinished) UnwritableFile.Discard(Stream, _temporaryPath);
    }
}

namespace PicoGpt.Files;

/// <summary>A file that is written under a temporary name beside its own, and takes that when it is whole.</summary>
internal sealed class OutputFile : IDisposable
{
    // So that progress is told, and a cancellation heard, within a tensor too.
    private const int LongestWrite = 4 * 1024 * 1024;

    private readonly string _temporaryPath;
    private readonly WriteMeter? _meter;
    private bool _isFinished;

    /// <param name="path">The full path that it is to have; its folder is there.</param>
    /// <param name="meter">What counts the bytes of <see cref="Write"/>.</param>
    public OutputFile(string path, WriteMeter? meter = null)
    {
        Path = path;
        _meter = meter;
        _temporaryPath = $"{path}.{Guid.NewGuid():n}.tmp";
        Stream = new FileStream(_temporaryPath, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1 << 16);
    }

    public string Path { get; }

    public FileStream Stream { get; }

    /// <summary>Writes what takes long enough to be counted.</summary>
    /// <exception cref="OperationCanceledException">The meter's token was cancelled.</exception>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        for (ReadOnlySpan<byte> rest = bytes; !rest.IsEmpty;)
        {
            ReadOnlySpan<byte> part = rest[..Math.Min(rest.Length, LongestWrite)];
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
    public void Finish(bool overwrite = true)
    {
        Complete();
        File.Move(_temporaryPath, Path, overwrite);
        _isFinished = true;
    }

    public void Dispose()
    {
        if (!_isFinished) UnwritableFile.Discard(Stream, _temporaryPath);
    }
}

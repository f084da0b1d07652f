namespace PicoGpt.Checkpoints;

/// <summary>A file that is written under a temporary name beside its own, and takes that when it is whole.</summary>
internal sealed class OutputFile : IDisposable
{
    private readonly string _temporaryPath;
    private bool _isFinished;

    /// <param name="path">The full path that it is to have; its folder is there.</param>
    public OutputFile(string path)
    {
        Path = path;
        _temporaryPath = $"{path}.{Guid.NewGuid():n}.tmp";
        Stream = new FileStream(_temporaryPath, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1 << 16);
    }

    public string Path { get; }

    public FileStream Stream { get; }

    /// <summary>Gives the file its name; an older one of that name is replaced.</summary>
    public void Finish()
    {
        Stream.Dispose();
        File.Move(_temporaryPath, Path, overwrite: true);
        _isFinished = true;
    }

    public void Dispose()
    {
        Stream.Dispose();
        if (!_isFinished) File.Delete(_temporaryPath);
    }
}

namespace PicoGpt.Checkpoints;

/// <summary>
/// The files of one checkpoint, each mapped when first needed. They stay mapped until the checkpoint is disposed and
/// the last hold is gone.
/// </summary>
internal sealed class ShardMappings
{
    private readonly Lock _lock = new();
    private readonly MappedFile?[] _files;
    private int _holds = 1; // the checkpoint's own

    /// <param name="paths">The full paths of the files, which need not exist.</param>
    public ShardMappings(IReadOnlyList<string> paths)
    {
        Paths = paths;
        _files = new MappedFile?[paths.Count];
    }

    public IReadOnlyList<string> Paths { get; }

    public string PathOf(int shard) => Paths[shard];

    /// <summary>The mapped data file.</summary>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.FileNotFound"/>: it is missing.</exception>
    public MappedFile Open(int shard)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_holds == 0, typeof(TensorBundle));
            return _files[shard] ??= Map(PathOf(shard));
        }
    }

    public void AddHold()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_holds == 0, typeof(TensorBundle));
            _holds++;
        }
    }

    public void ReleaseHold()
    {
        lock (_lock)
        {
            if (--_holds > 0) return;
            foreach (MappedFile? file in _files)
                file?.Dispose();
        }
    }

    public static Gpt2Exception Missing(string path) => new(
        Gpt2Error.FileNotFound,
        $"The data file '{path}' is missing; the checkpoint's index is there, but its weights are not: copy or download this file too.",
        path);

    private static MappedFile Map(string path)
    {
        if (!File.Exists(path)) throw Missing(path);
        try
        {
            return new MappedFile(path);
        }
        catch (IOException fault)
        {
            throw ReadableFile.Refused(path, fault); // the address space does not suffice, or the file system cannot map
        }
    }
}

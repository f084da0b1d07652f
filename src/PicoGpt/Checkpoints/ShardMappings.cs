namespace PicoGpt.Checkpoints;

/// <summary>
/// The data files of one checkpoint, each mapped when first needed. They stay mapped until the checkpoint is disposed and
/// the last hold is gone.
/// </summary>
internal sealed class ShardMappings
{
    private readonly Lock _lock = new();
    private readonly string _prefix;
    private readonly string _suffix;
    private readonly MappedFile?[] _files;
    private int _holds = 1; // the checkpoint's own

    /// <param name="prefix">What the data files' names begin with.</param>
    /// <param name="shardCount">How many there are.</param>
    /// <param name="suffix">What their names end in after their own; for files that are not finished.</param>
    public ShardMappings(string prefix, int shardCount, string suffix)
    {
        _prefix = prefix;
        _suffix = suffix;
        _files = new MappedFile?[shardCount];
    }

    public string PathOf(int shard) => BundlePath.ShardFile(_prefix, shard, _files.Length) + _suffix;

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

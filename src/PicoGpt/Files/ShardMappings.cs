namespace PicoGpt.Files;

/// <summary>
/// The files of one checkpoint, each mapped when first needed. They stay mapped until the checkpoint is disposed and
/// the last hold is gone.
/// </summary>
internal sealed class ShardMappings
{
    /// <summary>The most files that a checkpoint has open: a process has a few thousand handles, and one checkpoint is not to take them all.</summary>
    public const int MaxFiles = 512;

    private static readonly TimeSpan WatchInterval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<int, MappedFile> _files = [];
    private MappedFile[] _mapped = []; // the values of _files
    private int _holds = 1; // the checkpoint's own
    private volatile bool _hasSpans;
    private Timer? _watch;

    /// <param name="paths">The full paths of the files, which need not exist.</param>
    public ShardMappings(IReadOnlyList<string> paths) => Paths = paths;

    public IReadOnlyList<string> Paths { get; }

    public string PathOf(int shard) => Paths[shard];

    /// <summary>The mapped data file.</summary>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.FileNotFound"/>: it is missing.</exception>
    public MappedFile Open(int shard)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_holds == 0, typeof(ShardMappings));
            if (!_files.TryGetValue(shard, out MappedFile? file))
            {
                _files.Add(shard, file = _files.Count < MaxFiles ? Map(PathOf(shard)) : throw TooMany());
                Volatile.Write(ref _mapped, [.. _files.Values]);
            }

            if (file.IsLeased) _watch ??= StartWatch();
            return file;
        }
    }

    /// <summary>The SHA-256 of a data file, for what has no checksums of its own.</summary>
    /// <exception cref="Gpt2Exception">It is missing, or was changed.</exception>
    public string DigestOf(int shard, CancellationToken cancellationToken)
    {
        using var hold = new MappingHold(this);
        return Open(shard).GetDigest(cancellationToken);
    }

    /// <summary>Tells whether what was read so far is the files', and whether they may be read on.</summary>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.FileChanged"/>: a mapped file was changed, or is about to be.</exception>
    public void ThrowIfChanged()
    {
        foreach (MappedFile file in Volatile.Read(ref _mapped)) file.ThrowIfChanged(); // a hundred times a token: it allocates nothing
    }

    /// <summary>Has the pages stay, when the files are let go of, until nothing refers to their memory: spans of it are about.</summary>
    public void HaveSpans() => _hasSpans = true;

    public void AddHold()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_holds == 0, typeof(ShardMappings));
            _holds++;
        }
    }

    public void ReleaseHold()
    {
        lock (_lock)
        {
            if (--_holds > 0) return;
            _watch?.Dispose();
            foreach (MappedFile file in _files.Values)
            {
                if (_hasSpans) file.LetGo();
                else file.Dispose();
            }
        }
    }

    public static Gpt2Exception Missing(string path) => new(
        Gpt2Error.FileNotFound,
        $"The data file '{path}' is missing{UnfinishedDownload.ClauseOf(path)}; the checkpoint's index is there, but its weights are not: copy or download this file too.",
        path);

    private Gpt2Exception TooMany() => new(
        Gpt2Error.Unsupported,
        $"The checkpoint of '{PathOf(0)}' has its tensors in more than {MaxFiles} files, which are more than are opened at once; write it again in fewer files.",
        PathOf(0));

    private static MappedFile Map(string path)
    {
        if (!File.Exists(path)) throw Missing(path);
        try
        {
            return new MappedFile(path);
        }
        catch (Exception fault) when (fault is IOException or ArgumentException)
        {
            // There is too little address space, the file system cannot map, or the file became shorter meanwhile.
            throw ReadableFile.Refused(path, fault);
        }
    }

    // The timer must not keep mapped what was forgotten without being disposed.
    private Timer StartWatch() => new(
        static files => ((files as WeakReference<ShardMappings>)!.TryGetTarget(out ShardMappings? target) ? target : null)?.Watch(),
        new WeakReference<ShardMappings>(this),
        WatchInterval,
        WatchInterval);

    private void Watch()
    {
        lock (_lock)
        {
            bool isPinned = _holds > 1;
            foreach (MappedFile file in _files.Values)
            {
                if (file.IsLeased) file.Watch(isPinned);
            }
        }
    }
}

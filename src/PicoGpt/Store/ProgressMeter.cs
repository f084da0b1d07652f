namespace PicoGpt.Store;

/// <summary>Counts a download's bytes; any thread may read it at any time.</summary>
internal sealed class ProgressMeter(TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly TransferRate _rate = new(time);
    private DownloadProgress _current = new(DownloadState.Idle, "", "", 0, null, 0, 0);
    private long _finished;

    public DownloadProgress Current
    {
        get { lock (_lock) return _current with { BytesPerSecond = _rate.PerSecond }; }
    }

    /// <summary>Begins a model of which some bytes are already there.</summary>
    public void BeginModel(long finished, long total)
    {
        lock (_lock)
        {
            _finished = finished;
            _rate.Start();
            _current = new DownloadProgress(DownloadState.Connecting, "", "", 0, null, finished, Math.Max(finished, total));
        }
    }

    /// <summary>Begins a file, or begins it again.</summary>
    public void BeginFile(string file, long done, long? total)
    {
        lock (_lock)
        {
            _current = _current with { State = DownloadState.Connecting, Detail = "", File = file, FileTotal = total };
            SetFileBytes(done);
        }
    }

    public void SetState(DownloadState state, string detail = "")
    {
        lock (_lock) _current = _current with { State = state, Detail = detail };
    }

    public void SetFileTotal(long? total)
    {
        lock (_lock) _current = _current with { FileTotal = total };
    }

    public void Add(long bytes)
    {
        lock (_lock)
        {
            if (_current.State != DownloadState.Downloading) _current = _current with { State = DownloadState.Downloading, Detail = "" };
            _rate.Add(bytes);
            SetFileBytes(_current.FileBytes + bytes);
        }
    }

    public void EndFile()
    {
        lock (_lock) _finished += _current.FileBytes;
    }

    private void SetFileBytes(long bytes)
    {
        long model = _finished + bytes;
        _current = _current with { FileBytes = bytes, ModelBytes = model, ModelTotal = Math.Max(model, _current.ModelTotal) };
    }
}

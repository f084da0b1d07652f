namespace PicoGpt.Store;

/// <summary>The rate of the last seconds; an average over the whole download would take minutes to show a change.</summary>
internal sealed class TransferRate(TimeProvider time)
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly Queue<(long Time, long Bytes)> _samples = [];
    private long _lastSample;
    private long _bytes;

    /// <summary>Begins again; time counts from now.</summary>
    public void Start()
    {
        _samples.Clear();
        _bytes = 0;
        Sample(time.GetTimestamp());
    }

    /// <summary>Notes that bytes have come.</summary>
    public void Add(long bytes)
    {
        _bytes += bytes;
        long now = time.GetTimestamp();
        if (_samples.Count == 0 || time.GetElapsedTime(_lastSample, now) >= Interval) Sample(now);
    }

    /// <summary>Bytes a second; 0 while it is not yet known.</summary>
    public double PerSecond
    {
        get
        {
            if (!_samples.TryPeek(out (long Time, long Bytes) first)) return 0;
            TimeSpan elapsed = time.GetElapsedTime(first.Time);
            return elapsed < Interval ? 0 : (_bytes - first.Bytes) / elapsed.TotalSeconds;
        }
    }

    private void Sample(long now)
    {
        _lastSample = now;
        _samples.Enqueue((now, _bytes));
        while (_samples.Count > 1 && time.GetElapsedTime(_samples.Peek().Time, now) > Window) _samples.Dequeue();
    }
}

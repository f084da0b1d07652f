namespace PicoGpt.Tests.Store;

/// <summary>A clock that goes on by a step whenever it is looked at, however long that took.</summary>
/// <param name="step">The step.</param>
internal sealed class HastyClock(TimeSpan step) : TimeProvider
{
    private long _now;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Interlocked.Add(ref _now, step.Ticks);
}

namespace PicoGpt.Store;

/// <summary>A range of a file that one connection fetches, and how far it has come.</summary>
internal sealed class Segment(ByteRange range)
{
    private long _noted = range.Start;

    /// <summary>The next byte to come.</summary>
    public long Position { get; set; } = range.Start;

    public bool IsDone => Position == range.End;

    public ByteRange Missing => new(Position, range.End);

    /// <summary>How many bytes have come since the last ones were noted.</summary>
    public long NewLength => Position - _noted;

    /// <summary>The bytes that have come since the last ones were noted.</summary>
    public ByteRange TakeNew()
    {
        var taken = new ByteRange(_noted, Position);
        _noted = Position;
        return taken;
    }
}

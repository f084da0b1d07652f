namespace PicoGpt.Store;

/// <summary>A range of a file that one connection fetches, and how far it is.</summary>
internal sealed class Segment(ByteRange range)
{
    /// <summary>The next byte to come.</summary>
    public long Position { get; set; } = range.Start;

    public bool IsDone => Position == range.End;

    public ByteRange Done => new(range.Start, Position);

    public ByteRange Missing => new(Position, range.End);
}

using System.Buffers;

namespace PicoGpt.Files;

/// <summary>A range of a mapped file as <see cref="Memory{T}"/>; a span is given only while the file is mapped.</summary>
internal sealed unsafe class MappedMemory<T> : MemoryManager<T>
    where T : unmanaged
{
    private readonly ShardMappings _mappings;
    private readonly MappedFile _file;
    private readonly long _offset;
    private readonly int _length;

    /// <param name="mappings">What keeps the file mapped.</param>
    /// <param name="file">The file.</param>
    /// <param name="offset">Where the range starts, in bytes; aligned for <typeparamref name="T"/>.</param>
    /// <param name="length">The elements of the range.</param>
    public MappedMemory(ShardMappings mappings, MappedFile file, long offset, int length)
    {
        _mappings = mappings;
        _file = file;
        _offset = offset;
        _length = length;
    }

    public override Span<T> GetSpan() => new(_file.Address(_offset, (long)_length * sizeof(T)), _length);

    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(elementIndex);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(elementIndex, _length);
        _mappings.AddHold();
        try
        {
            return new MemoryHandle((T*)_file.Address(_offset, (long)_length * sizeof(T)) + elementIndex, default, this);
        }
        catch
        {
            _mappings.ReleaseHold();
            throw;
        }
    }

    public override void Unpin() => _mappings.ReleaseHold();

    protected override void Dispose(bool disposing)
    {
        // The mapping belongs to the checkpoint, not to one view of it.
    }
}

using System.Buffers;

namespace PicoGpt.Files;

/// <summary>
/// A range of a mapped file as <see cref="Memory{T}"/>. Our own code reads it through <see cref="HeldMemory{T}"/>. Of a bare span nobody
/// knows how long it is in use, so once there was one, the pages stay until nothing refers to their memory any more.
/// </summary>
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

    // The base class would take a span to know its length.
    public override Memory<T> Memory => CreateMemory(_length);

    public override Span<T> GetSpan()
    {
        using var hold = new MappingHold(_mappings);
        _mappings.HaveSpans();
        return new Span<T>(_file.Address(_offset, (long)_length * sizeof(T)), _length);
    }

    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.FileChanged"/>: what was read is not the file's.</exception>
    public void ThrowIfChanged() => _file.ThrowIfChanged();

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

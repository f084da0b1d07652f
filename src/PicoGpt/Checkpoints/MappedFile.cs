using System.IO.MemoryMappedFiles;

namespace PicoGpt.Checkpoints;

/// <summary>A whole file mapped for reading; an empty file maps to nothing.</summary>
internal sealed unsafe class MappedFile : IDisposable
{
    private readonly MemoryMappedViewAccessor? _view;
    private byte* _start;
    private volatile bool _isReleased;

    public MappedFile(string path)
    {
        Path = path;
        using FileStream file = ReadableFile.Open(path);
        Length = file.Length;
        if (Length == 0) return; // the operating systems refuse to map nothing

        using MemoryMappedFile mapping = MemoryMappedFile.CreateFromFile(
            file, mapName: null, capacity: 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        _view = mapping.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);

        // Not AcquirePointer: its reference would keep the view from being finalized where Dispose is forgotten.
        _start = (byte*)_view.SafeMemoryMappedViewHandle.DangerousGetHandle() + _view.PointerOffset;
    }

    public string Path { get; }

    public long Length { get; }

    /// <summary>The address of a byte range, which must lie within the file.</summary>
    public byte* Address(long offset, long length)
    {
        ObjectDisposedException.ThrowIf(_isReleased, typeof(TensorBundle));
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - length);
        return _start + offset;
    }

    public void Dispose()
    {
        _isReleased = true;
        _start = null;
        _view?.Dispose();
    }
}

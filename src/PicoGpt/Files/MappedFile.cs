using System.Diagnostics;
using System.IO.MemoryMappedFiles;

namespace PicoGpt.Files;

/// <summary>
/// A whole file mapped for reading; an empty file maps to nothing. Where the system does not protect the mapping from whoever changes the
/// file (see <see cref="FileLease"/>; Windows does it by itself), or nobody handles the fault of a page that is missing
/// (see <see cref="FaultHandler"/>), the file is read into memory instead, as far as it is asked for.
/// </summary>
/// <remarks>
/// What was read of a mapping is the file's only if <see cref="ThrowIfChanged"/> says so afterwards: a process that is stopped for
/// longer than a lease holds reads other bytes when it continues, before it can look.
/// </remarks>
internal sealed unsafe class MappedFile : IDisposable
{
    // In milliseconds. Readers look for themselves, too: the thread pool, on which the watch runs, may be busy.
    private const long LookInterval = 1000;

    // Long enough for whoever looks at a few elements without pinning them; and, where elements are pinned, for a layer of the largest model
    // on a slow machine. The system takes the lease back after 45 seconds.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1), PinnedGrace = TimeSpan.FromSeconds(30);

    private readonly MemoryMappedViewAccessor? _view;
    private readonly FileStream? _file;
    private readonly FileLease? _lease;
    private readonly FileCopy? _copy;
    private FaultHandler.Range* _range; // null where nothing is mapped, and on Windows
    private string? _digest;
    private byte* _start;
    private long _changedSince; // as a timestamp; 0 while the file is as it was
    private long _lookedAt; // in milliseconds, as Environment.TickCount64
    private volatile bool _isReleased;

    /// <exception cref="IOException">The file cannot be mapped.</exception>
    /// <exception cref="Gpt2Exception">The file cannot be opened, or there are no addresses for a copy of it.</exception>
    public MappedFile(string path)
    {
        Path = path;
        FileStream file = ReadableFile.Open(path);
        try
        {
            _lease = FaultHandler.IsActive ? FileLease.TryTake(file.SafeFileHandle) : null; // before the length, which stays what it is from then on
            Length = file.Length;
            Identity = FileIdentity.TryOf(file.SafeFileHandle);
            if (Length == 0) return; // the operating systems refuse to map nothing
            if (OperatingSystem.IsWindows() || _lease is not null)
            {
                (_view, nint start) = Map(file);
                _start = (byte*)start;
            }

            if (_lease is not null) _range = FaultHandler.TryEnter(_start, Length);
            if (_range is not null || OperatingSystem.IsWindows())
            {
                _file = file;
                return;
            }

            _lease?.GiveBack();
            _view?.Dispose();
            _copy = new FileCopy(file, path, Length);
        }
        finally
        {
            if (_file is null && _copy is null) file.Dispose(); // and the lease with it
        }
    }

    /// <summary>Of a mapping that was forgotten, the pages go after this, when their handle is finalized.</summary>
    ~MappedFile() => LeaveRange();

    public string Path { get; }

    public long Length { get; }

    /// <summary>Which file it is, as it was when it was opened; <see langword="null"/> where the system does not tell.</summary>
    public FileIdentity? Identity { get; }

    /// <summary>The SHA-256 of the file, in hexadecimal digits.</summary>
    /// <param name="cancellationToken">Looked at before every 16 MiB.</param>
    /// <exception cref="Gpt2Exception">The file was changed, or a copy of it needs more memory than is free.</exception>
    public string GetDigest(CancellationToken cancellationToken = default) =>
        LazyInitializer.EnsureInitialized(ref _digest, () => FileDigest.Of(this, cancellationToken));

    /// <summary>Whether <see cref="Watch"/> is to be called once a second.</summary>
    public bool IsLeased => _lease is not null && _file is not null;

    /// <summary>Whether float32 at a byte offset can be used where it lies.</summary>
    public static bool IsAligned(long offset) => offset % sizeof(float) == 0; // a mapping lies at a page, a copy at a cache line

    /// <summary>The address of a byte range, which must lie within the file.</summary>
    /// <exception cref="Gpt2Exception">The file was changed, or is about to be; or a copy of the range needs more memory than is free.</exception>
    public byte* Address(long offset, long length)
    {
        ObjectDisposedException.ThrowIf(_isReleased, typeof(ShardMappings));
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - length);
        if (Environment.TickCount64 - Volatile.Read(ref _lookedAt) >= LookInterval) ThrowIfChanged();
        else ThrowIfKnownToBeChanged();
        return _copy is null ? _start + offset : _copy.Address(offset, length);
    }

    /// <summary>Tells whether what was read so far is the file's, and whether it may be read on.</summary>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.FileChanged"/>: the file was changed, or is about to be.</exception>
    public void ThrowIfChanged()
    {
        if (IsLeased && !_isReleased) Look();
        ThrowIfKnownToBeChanged();
    }

    private void ThrowIfKnownToBeChanged()
    {
        if (Volatile.Read(ref _changedSince) == 0) return;
        throw new Gpt2Exception(
            Gpt2Error.FileChanged,
            $"The file '{Path}' is being overwritten by another program while it is in use; open the model again when that is done, "
                + "and have files replaced rather than overwritten.",
            Path);
    }

    /// <summary>
    /// Looks whether somebody waits to change the file; if so, has <see cref="ThrowIfChanged"/> stop its readers, and gives the lease
    /// back when they have had the time.
    /// </summary>
    /// <param name="isPinned">Whether somebody reads it at length.</param>
    public void Watch(bool isPinned)
    {
        if (_isReleased) return;
        Look();
        long since = Volatile.Read(ref _changedSince);
        if (since != 0 && Stopwatch.GetElapsedTime(since) >= (isPinned ? PinnedGrace : Grace)) _lease!.GiveBack();
    }

    public void Dispose()
    {
        LetGo();
        _start = null;
        LeaveRange();
        _copy?.Dispose();
        _view?.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Closes the file and leaves its pages, of which spans are about, until nothing refers to their memory any more.</summary>
    public void LetGo()
    {
        if (_isReleased) return;
        _isReleased = true;
        if (IsLeased) _lease!.GiveBack(); // which the pages would keep
        _file?.Dispose();
    }

    private void LeaveRange()
    {
        if (_range is not null) FaultHandler.Leave(_range);
        _range = null;
    }

    private static (MemoryMappedViewAccessor View, nint Start) Map(FileStream file)
    {
        using MemoryMappedFile mapping = MemoryMappedFile.CreateFromFile(
            file, mapName: null, capacity: file.Length, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        MemoryMappedViewAccessor view = mapping.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);

        // Not AcquirePointer: its reference would keep the view from being finalized where Dispose is forgotten.
        return (view, view.SafeMemoryMappedViewHandle.DangerousGetHandle() + (nint)view.PointerOffset);
    }

    private void Look()
    {
        if (Volatile.Read(ref _changedSince) == 0 && (_lease!.IsBroken || IsCutShort() || Volatile.Read(ref _range->IsHit) != 0))
            Interlocked.CompareExchange(ref _changedSince, Stopwatch.GetTimestamp(), 0);
        Volatile.Write(ref _lookedAt, Environment.TickCount64);
    }

    private bool IsCutShort() => RandomAccess.GetLength(_file!.SafeFileHandle) < Length;
}

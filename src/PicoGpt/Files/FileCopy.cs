using System.Runtime.InteropServices;
using PicoGpt.Machine;

namespace PicoGpt.Files;

/// <summary>
/// A file in memory of this process's own, of which each piece is read when it is first asked for. What was read stays as it was,
/// whatever becomes of the file; a file that changes before all of it was read is not read any further.
/// </summary>
internal sealed unsafe class FileCopy : SafeHandle
{
    private const int Alignment = 64;
    private const int PieceLength = 1 << 20;

    // To ask the system takes some 50 us, and its answer is an estimate anyway.
    private const long GrantLength = 16L << 20;

    // What is left to the rest of the process. Where it finds no memory within the limit of a control group, the system ends it.
    private const long Headroom = 64L << 20;

    private readonly Lock _lock = new();
    private readonly FileStream _file;
    private readonly string _path;
    private readonly long _length;
    private readonly DateTime _writtenAt;
    private readonly Func<long> _freeMemory;
    private readonly bool[] _isRead; // by piece
    private int _missing; // pieces
    private long _granted; // bytes that may be read before the free memory is looked at again

    /// <param name="file">The file, which the copy closes when it is whole or disposed of.</param>
    /// <param name="path">Its path, for messages.</param>
    /// <param name="length">Its length in bytes.</param>
    /// <param name="freeMemory">Tells the bytes that are free; by default the system does.</param>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.InsufficientMemory"/>: there are no addresses for it.</exception>
    public FileCopy(FileStream file, string path, long length, Func<long>? freeMemory = null)
        : base(0, ownsHandle: true)
    {
        _file = file;
        _path = path;
        _length = length;
        _freeMemory = freeMemory ?? (() => AvailableMemory.Bytes);
        _writtenAt = File.GetLastWriteTimeUtc(file.SafeFileHandle);
        try
        {
            SetHandle((nint)NativeMemory.AlignedAlloc(checked((nuint)length), Alignment)); // takes no memory until it is written
        }
        catch (OutOfMemoryException fault)
        {
            throw Refused($"{Mebibytes(length)} of memory could not be allocated", fault);
        }

        _missing = checked((int)((length + PieceLength - 1) / PieceLength));
        _isRead = new bool[_missing];
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>The address of a byte range, which is read if it was not before.</summary>
    /// <exception cref="Gpt2Exception">
    /// <see cref="Gpt2Error.FileChanged"/>: the file changed before the range was read.
    /// <see cref="Gpt2Error.InsufficientMemory"/>: the range needs more memory than is free.
    /// </exception>
    public byte* Address(long offset, long length)
    {
        if (Volatile.Read(ref _missing) > 0 && length > 0) Read((int)(offset / PieceLength), (int)((offset + length - 1) / PieceLength));
        return (byte*)handle + offset;
    }

    protected override bool ReleaseHandle()
    {
        lock (_lock)
        {
            NativeMemory.AlignedFree((void*)handle);
            _file.Dispose();
            return true;
        }
    }

    private void Read(int first, int last)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(IsClosed, typeof(ShardMappings));
            Reserve((long)_isRead.AsSpan(first, last - first + 1).Count(false) * PieceLength);
            for (int i = first; i <= last; i++)
            {
                if (!_isRead[i]) Read(i);
            }

            if (_missing == 0) _file.Dispose();
        }
    }

    private void Read(int piece)
    {
        long position = (long)piece * PieceLength, end = Math.Min(position + PieceLength, _length);
        while (position < end)
        {
            int count = RandomAccess.Read(_file.SafeFileHandle, new Span<byte>((byte*)handle + position, (int)(end - position)), position);
            if (count == 0) throw Changed();
            position += count;
        }

        if (IsChanged()) throw Changed(); // afterwards, because it may change meanwhile
        _isRead[piece] = true;
        Volatile.Write(ref _missing, _missing - 1);
    }

    private void Reserve(long bytes)
    {
        if (bytes > _granted)
        {
            long free = Math.Max(0, _freeMemory() - Headroom);
            if (bytes > free) throw Refused($"{Mebibytes(bytes)} of memory are needed, but only {Mebibytes(free)} can be spared");
            _granted = Math.Min(Math.Max(bytes, GrantLength), free);
        }

        _granted -= bytes;
    }

    private bool IsChanged() =>
        RandomAccess.GetLength(_file.SafeFileHandle) != _length || File.GetLastWriteTimeUtc(_file.SafeFileHandle) != _writtenAt;

    private Gpt2Exception Changed() => new(
        Gpt2Error.FileChanged,
        $"The file '{_path}' was changed by another program while it was read; open the model again when that is done, "
            + "and have files replaced rather than overwritten.",
        _path);

    private Gpt2Exception Refused(string reason, Exception? fault = null) => new(
        Gpt2Error.InsufficientMemory,
        $"The file '{_path}' can be changed by others and so has to be copied into memory, and {reason}; "
            + "free memory, or copy the file to a folder of your own.",
        _path,
        fault);

    private static string Mebibytes(long bytes) => FormattableString.Invariant($"{bytes >> 20:N0} MiB");
}

using System.Runtime.InteropServices;

namespace PicoGpt.Machine;

/// <summary>
/// Memory of this process's own for what is read again and again from end to end, in pages as large as the system gives for the asking:
/// Linux takes the wish for 2 MiB a page (madvise(2), MADV_HUGEPAGE) unless its administrator has forbidden it, and elsewhere, or where the
/// wish is refused, the pages are the usual ones. What is as large as such a page begins where one does; pages are there when they are first
/// written.
/// </summary>
internal sealed unsafe partial class LargePages : SafeHandle
{
    private const nuint PageSize = 2 * 1024 * 1024;
    private const nuint LineSize = 64;
    private const int HugePages = 14; // MADV_HUGEPAGE

    /// <param name="bytes">How many.</param>
    /// <exception cref="OutOfMemoryException">There are not as many.</exception>
    public LargePages(long bytes)
        : base(0, ownsHandle: true)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        Length = bytes;
        SetHandle((nint)NativeMemory.AlignedAlloc(checked((nuint)bytes), (nuint)bytes < PageSize ? LineSize : PageSize));
        if (OperatingSystem.IsLinux()) _ = Advise(handle, checked((nint)bytes), HugePages); // a wish: what it answers does not matter
    }

    public override bool IsInvalid => handle == 0;

    public long Length { get; }

    public byte* Data
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return (byte*)handle;
        }
    }

    protected override bool ReleaseHandle()
    {
        NativeMemory.AlignedFree((void*)handle);
        return true;
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint start, nint length, int advice);
}

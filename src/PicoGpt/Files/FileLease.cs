using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace PicoGpt.Files;

/// <summary>
/// Has others wait who want to change a mapped file in place, until this process no longer reads it. Linux ends a process that reads a
/// mapped page that its file no longer has. Under a read lease (fcntl(2), F_SETLEASE), whoever opens the file for writing or cuts it
/// short waits until the lease is given back, for at most 45 seconds (/proc/sys/fs/lease-break-time); deleting and replacing it
/// need not wait, because the mapping keeps what was there.
/// </summary>
/// <remarks>
/// The lease belongs to the open file, and goes when that is closed. It holds for the programs of this machine, on its own file systems,
/// and for those 45 seconds: what a process reads that was stopped for longer may be another program's. See <see cref="FaultHandler"/>.
/// </remarks>
internal sealed partial class FileLease
{
    private const int SetSignal = 10, SetLease = 1024, GetLease = 1025;
    private const int ReadLease = 0, NoLease = 2;
    private const int Unlock = 8; // of flock(2), by which .NET's programs tell each other that a file is in use

    // The signal that would tell that somebody waits: the default one ends a process, this one is ignored.
    private const int UrgentSignal = 23;

    private readonly SafeFileHandle _file;

    private FileLease(SafeFileHandle file) => _file = file;

    /// <summary>Whether somebody waits to change the file, or the system has taken the lease back.</summary>
    public bool IsBroken => Control(_file, GetLease, 0) != ReadLease;

    /// <summary>Takes a lease on an open file.</summary>
    /// <returns>
    /// <see langword="null"/> where the system gives none, or one that protects nothing: the file is another user's, or open for writing,
    /// or not on a local disk.
    /// </returns>
    public static FileLease? TryTake(SafeFileHandle file) =>
        LocalFileSystem.Has(file) && Control(file, SetSignal, UrgentSignal) == 0 && Control(file, SetLease, ReadLease) == 0
            ? new FileLease(file)
            : null;

    /// <summary>Gives the lease back while the file stays open, and before it the lock that .NET has put on the file.</summary>
    public void GiveBack()
    {
        _ = Lock(_file, Unlock);
        _ = Control(_file, SetLease, NoLease);
    }

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Control(SafeFileHandle file, int command, int argument);

    [LibraryImport("libc", EntryPoint = "flock")]
    private static partial int Lock(SafeFileHandle file, int operation);
}

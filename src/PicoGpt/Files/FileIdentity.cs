using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace PicoGpt.Files;

/// <summary>
/// Which file it is, whatever it is called: the same through links of both kinds, another case, another drive's letter. Linux and macOS
/// tell a device and an inode (stat(2)), Windows a volume and a number (FILE_ID_INFO).
/// </summary>
/// <param name="Volume">The device or volume.</param>
/// <param name="Low">The file's number there.</param>
/// <param name="High">The upper half of a number of 128 bits.</param>
/// <param name="ChangedAt">When its content or anything else of it last changed, in UTC; no program can set it to a time that it likes.</param>
internal readonly unsafe partial record struct FileIdentity(ulong Volume, ulong Low, ulong High, DateTime ChangedAt)
{
    private const int CurrentFolder = -100; // AT_FDCWD
    private const int MaxAnswerLength = 512;

    /// <summary>Whether two paths lead to one file.</summary>
    public static bool AreSame(string left, string right) => TryOf(left) is { } one && TryOf(right) is { } other && one.IsSameFile(other);

    /// <summary>The identity of what a path leads to; <see langword="null"/> where nothing is there, or the system does not tell.</summary>
    public static FileIdentity? TryOf(string path)
    {
        try
        {
            if (OperatingSystem.IsLinux()) return OfLinux(CurrentFolder, path, flags: 0); // without opening it, which a pipe would block
            using SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return TryOf(file);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The identity of an open file; <see langword="null"/> where the system does not tell.</summary>
    public static FileIdentity? TryOf(SafeFileHandle file)
    {
        const int EmptyPath = 0x1000; // AT_EMPTY_PATH: the handle's own file
        if (OperatingSystem.IsWindows()) return OfWindows(file);
        if (OperatingSystem.IsMacOS()) return OfMacOS(file);
        return OperatingSystem.IsLinux() ? OfLinux(file.DangerousGetHandle(), "", EmptyPath) : null;
    }

    /// <summary>Whether it is the same file, changed or not.</summary>
    public bool IsSameFile(FileIdentity other) => (Volume, Low, High) == (other.Volume, other.Low, other.High);

    // struct statx (statx(2)): the inode at 32, the time of the last change at 96, the device at 136.
    private static FileIdentity? OfLinux(nint folder, string path, long flags)
    {
        const int Basic = 0x7FF;
        byte* answer = stackalloc byte[MaxAnswerLength];
        long number = RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.X64 ? 332 : 291;
        if (CallStatx(number, folder, path, flags, Basic, answer) != 0) return null;
        ulong device = ((ulong)*(uint*)(answer + 136) << 32) | *(uint*)(answer + 140);
        return new FileIdentity(device, *(ulong*)(answer + 32), 0, UnixTime(*(long*)(answer + 96), *(uint*)(answer + 104)));
    }

    // struct stat of Darwin with inodes of 64 bits: the device at 0, the inode at 8, the time of the last change at 64.
    private static FileIdentity? OfMacOS(SafeFileHandle file)
    {
        byte* answer = stackalloc byte[MaxAnswerLength];
        bool isArm = RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.Arm64;
        if ((isArm ? CallStat(file, answer) : CallStatOfInodes64(file, answer)) != 0) return null;
        return new FileIdentity(*(uint*)answer, *(ulong*)(answer + 8), 0, UnixTime(*(long*)(answer + 64), *(long*)(answer + 72)));
    }

    // FILE_ID_INFO is a volume's serial number and 128 bits; FILE_BASIC_INFO has the time of the last change as its fourth.
    private static FileIdentity? OfWindows(SafeFileHandle file)
    {
        const int BasicInfo = 0, IdInfo = 18, BasicLength = 40, IdLength = 24;
        byte* id = stackalloc byte[IdLength], basic = stackalloc byte[BasicLength];
        if (!GetInformation(file, IdInfo, id, IdLength) || !GetInformation(file, BasicInfo, basic, BasicLength)) return null;
        return new FileIdentity(*(ulong*)id, *(ulong*)(id + 8), *(ulong*)(id + 16), DateTime.FromFileTimeUtc(*(long*)(basic + 24)));
    }

    private static DateTime UnixTime(long seconds, long nanoseconds) =>
        DateTime.UnixEpoch.AddTicks((seconds * TimeSpan.TicksPerSecond) + (nanoseconds / TimeSpan.NanosecondsPerTick));

    [LibraryImport("libc", EntryPoint = "syscall", StringMarshalling = StringMarshalling.Utf8)]
    private static partial long CallStatx(long number, nint folder, string path, long flags, long mask, byte* answer);

    [LibraryImport("libc", EntryPoint = "fstat")]
    private static partial int CallStat(SafeFileHandle file, byte* answer);

    [LibraryImport("libc", EntryPoint = "fstat$INODE64")]
    private static partial int CallStatOfInodes64(SafeFileHandle file, byte* answer);

    [LibraryImport("kernel32", EntryPoint = "GetFileInformationByHandleEx")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool GetInformation(SafeFileHandle file, int kind, byte* answer, int length);
}

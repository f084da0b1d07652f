using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace PicoGpt.Files;

/// <summary>
/// Whether a file lies where only programs of this machine change it, and all of them through the system's own file system: only there a
/// lease has them wait. Servers' file systems and those that a program serves (FUSE, 9p) grant leases that protect nothing.
/// </summary>
internal static unsafe partial class LocalFileSystem
{
    private const int MaxAnswerLength = 512;

    // The magic numbers of statfs(2): what is not known here is taken for not local.
    private static readonly HashSet<uint> Known =
    [
        0xEF53, // ext2, ext3, ext4
        0x58465342, // XFS
        0x9123683E, // Btrfs
        0xF2F52010, // F2FS
        0x2FC12FC1, // ZFS
        0xCA451A4E, // bcachefs
        0x01021994, 0x858458F6, // tmpfs, ramfs
        0x794C7630, // overlayfs, of which containers are made
        0x3153464A, 0x52654973, // JFS, ReiserFS
        0x4D44, 0x2011BAB0, 0x7366746E, // FAT, exFAT, NTFS
        0x9660, 0x73717368, 0xE0F5E1E2, // ISO 9660, SquashFS, EROFS
    ];

    /// <summary>Whether a file lies on one.</summary>
    public static bool Has(SafeFileHandle file)
    {
        if (!OperatingSystem.IsLinux()) return false;
        byte* answer = stackalloc byte[MaxAnswerLength];
        return Ask(file, answer) == 0 && IsKnown(*(long*)answer);
    }

    /// <summary>Whether statfs(2) says so.</summary>
    /// <param name="type">Its <c>f_type</c>.</param>
    internal static bool IsKnown(long type) => Known.Contains(unchecked((uint)type));

    [LibraryImport("libc", EntryPoint = "fstatfs")]
    private static partial int Ask(SafeFileHandle file, byte* answer);
}

namespace PicoGpt.Files;

/// <summary>The room on disks.</summary>
internal static class DiskSpace
{
    /// <summary>The free bytes of the disk that holds a folder, or will, when it is made.</summary>
    /// <param name="folder">The full path.</param>
    public static long FreeIn(string folder)
    {
        string there = MissingPath.NearestThere(folder);
        try
        {
            return FileSystemFacts.OfThisMachine.IsWindows && LeadsElsewhere(there) ? long.MaxValue : new DriveInfo(there).AvailableFreeSpace;
        }
        catch (Exception fault) when (fault is ArgumentException or IOException or UnauthorizedAccessException)
        {
            return long.MaxValue; // a network share of Windows has no letter to ask; a full one shows when it is written to
        }
    }

    // On Windows the drive is asked, and a folder of it may be another disk.
    private static bool LeadsElsewhere(string folder)
    {
        for (string? at = folder; at is not null; at = Path.GetDirectoryName(at))
        {
            if (File.GetAttributes(at).HasFlag(FileAttributes.ReparsePoint)) return true;
        }

        return false;
    }
}

namespace PicoGpt.Files;

/// <summary>The room on disks.</summary>
internal static class DiskSpace
{
    /// <summary>The free bytes of the disk that holds a folder, or will, when it is made.</summary>
    /// <param name="folder">The full path.</param>
    public static long FreeIn(string folder)
    {
        string there = folder;
        while (!Path.Exists(there) && Path.GetDirectoryName(there) is { } above) there = above;
        try
        {
            return new DriveInfo(there).AvailableFreeSpace;
        }
        catch (Exception fault) when (fault is ArgumentException or IOException or UnauthorizedAccessException)
        {
            return long.MaxValue; // a network share of Windows has no letter to ask; a full one shows when it is written to
        }
    }
}

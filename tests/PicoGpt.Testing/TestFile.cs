namespace PicoGpt.Testing;

/// <summary>
/// What tests do with files that were mapped. Of a file that was closed while spans of it were about, the pages stay until they are
/// collected; Windows lets nobody write over the file before that.
/// </summary>
public static class TestFile
{
    /// <summary>Writes a file in place.</summary>
    /// <param name="path">The file.</param>
    /// <param name="bytes">Its new bytes.</param>
    public static void Overwrite(string path, byte[] bytes)
    {
        for (int attempts = OperatingSystem.IsWindows() ? 10 : 1; ; attempts--)
        {
            try
            {
                File.WriteAllBytes(path, bytes);
                return;
            }
            catch (IOException) when (attempts > 1)
            {
                Release();
            }
        }
    }

    /// <summary>Collects what nobody refers to any more.</summary>
    public static void Release()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }
}

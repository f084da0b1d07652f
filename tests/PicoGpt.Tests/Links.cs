using Xunit;

namespace PicoGpt.Tests;

/// <summary>Makes symbolic links. Windows lets only some accounts make them, and Wine 10 says that it made one and makes none.</summary>
internal static class Links
{
    /// <summary>Makes a link to a file that need not exist, or skips the test.</summary>
    public static void ToFile(string link, string target) => Make(link, () => File.CreateSymbolicLink(link, target));

    /// <summary>Makes a link to a folder that need not exist, or skips the test.</summary>
    public static void ToFolder(string link, string target) => Make(link, () => Directory.CreateSymbolicLink(link, target));

    private static void Make(string link, Action make)
    {
        try
        {
            make();
        }
        catch (IOException) when (OperatingSystem.IsWindows())
        {
            Assert.Skip("This account may not make symbolic links.");
        }

        Assert.SkipWhen(OperatingSystem.IsWindows() && new FileInfo(link).LinkTarget is null, "This system makes no symbolic links (Wine 10 does not).");
    }
}

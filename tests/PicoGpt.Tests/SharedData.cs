using Xunit;

namespace PicoGpt.Tests;

/// <summary>Third-party test data that lies beside the clone; tests that need it are skipped where it is absent.</summary>
internal static class SharedData
{
    private static readonly string? Root = Find();

    /// <summary>The full path of a file or folder of the shared data; skips the calling test when it is absent.</summary>
    public static string Path(string relative)
    {
        Assert.SkipWhen(Root is null, "the folder ../shared/data is not here");
        return System.IO.Path.Combine(Root!, relative);
    }

    private static string? Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string candidate = System.IO.Path.Combine(folder.FullName, "shared", "data");
            if (File.Exists(System.IO.Path.Combine(candidate, "README.md"))) return candidate;
        }

        return null;
    }
}

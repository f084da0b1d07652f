using PicoGpt.Files;
using Xunit;

namespace PicoGpt.Tests.Files;

public sealed class DiskSpaceTests
{
    [Fact]
    public void A_folder_that_will_be_made_is_on_the_disk_of_the_one_above_it()
    {
        using var folder = new TemporaryFolder();
        Assert.InRange(DiskSpace.FreeIn(folder.File("a/b/c")), 1, new DriveInfo(folder.Path).TotalSize);
    }

    [Fact]
    public void Where_nobody_can_be_asked_there_is_room()
    {
        Assert.SkipUnless(OperatingSystem.IsWindows(), "only Windows has paths without a drive to ask");
        Assert.Equal(long.MaxValue, DiskSpace.FreeIn(@"\\nobody\share\folder"));
    }
}

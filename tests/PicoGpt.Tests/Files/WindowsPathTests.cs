using PicoGpt.Files;
using Xunit;

namespace PicoGpt.Tests.Files;

public sealed class WindowsPathTests
{
    [Theory]
    [InlineData("CON")]
    [InlineData("con")]
    [InlineData("NUL.txt")]
    [InlineData("nul.tar.gz")]
    [InlineData("COM1")]
    [InlineData("COM¹")]
    [InlineData("lpt³.index")]
    [InlineData("PRN ")]
    [InlineData("AUX .npz")]
    [InlineData("NUL:")]
    [InlineData("CONIN$")]
    [InlineData(@"C:\models\con\model.ckpt")]
    [InlineData("models/LPT9")]
    [InlineData(@"\\.\NUL")]
    public void The_name_of_a_device_is_one_wherever_it_stands(string path) => Assert.True(WindowsPath.HasDeviceName(path));

    [Theory]
    [InlineData("CONSOLE")]
    [InlineData("model.con")]
    [InlineData("COM")]
    [InlineData("COM10")]
    [InlineData("COM⁴")]
    [InlineData("annul.txt")]
    [InlineData(@"\\?\C:\models\con")]
    [InlineData(@"C:\models\model.ckpt")]
    public void Other_names_are_names(string path) => Assert.False(WindowsPath.HasDeviceName(path));

    [Theory]
    [InlineData("C:x", true)]
    [InlineData("C:", true)]
    [InlineData("c:..\\x", true)]
    [InlineData(@"C:\x", false)]
    [InlineData("C:/x", false)]
    [InlineData("x", false)]
    [InlineData("1:x", false)]
    [InlineData(@"\x", false)]
    public void A_path_from_the_current_folder_of_a_drive_is_known(string path, bool expected) => Assert.Equal(expected, WindowsPath.IsDriveRelative(path));

    [Theory]
    [InlineData(@"\\?\C:\models\124M", @"C:\models\124M")]
    [InlineData(@"\\?\UNC\server\share\124M", @"\\server\share\124M")]
    [InlineData(@"\\?\unc\server\share", @"\\server\share")]
    [InlineData(@"\\?\Volume{b75e2c83-0000-0000-0000-602f00000000}\x", @"\\?\Volume{b75e2c83-0000-0000-0000-602f00000000}\x")]
    [InlineData(@"\\?\C:", @"\\?\C:")]
    [InlineData(@"C:\models", @"C:\models")]
    [InlineData(@"\\server\share", @"\\server\share")]
    public void The_prefix_of_a_verbatim_path_is_taken_off(string path, string expected) => Assert.Equal(expected, WindowsPath.WithoutPrefix(path));
}

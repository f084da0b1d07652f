using PicoGpt.Files;
using Xunit;

namespace PicoGpt.Tests.Files;

/// <summary>What the systems say and mean, by the numbers and names of their documentation; each is asked on every system.</summary>
public sealed class FileSystemFactsTests
{
    private const string Windows = nameof(FileSystemFacts.Windows), MacOS = nameof(FileSystemFacts.MacOS), Linux = nameof(FileSystemFacts.Linux);

    private static FileSystemFacts Of(string system) => system switch
    {
        Windows => FileSystemFacts.Windows,
        MacOS => FileSystemFacts.MacOS,
        _ => FileSystemFacts.Linux,
    };

    [Theory]
    [InlineData(Windows, 0x80070020, Gpt2Error.InUse)] // ERROR_SHARING_VIOLATION
    [InlineData(Windows, 0x80070021, Gpt2Error.InUse)] // ERROR_LOCK_VIOLATION
    [InlineData(Windows, 0x8007012F, Gpt2Error.InUse)] // ERROR_DELETE_PENDING
    [InlineData(Windows, 0x800704C8, Gpt2Error.InUse)] // ERROR_USER_MAPPED_FILE
    [InlineData(Windows, 0x80070070, Gpt2Error.DiskFull)] // ERROR_DISK_FULL
    [InlineData(Windows, 0x80070027, Gpt2Error.DiskFull)] // ERROR_HANDLE_DISK_FULL
    [InlineData(Windows, 0x8007050F, Gpt2Error.DiskFull)] // ERROR_DISK_QUOTA_EXCEEDED
    [InlineData(Windows, 0x8007001F, Gpt2Error.Unwritable)] // ERROR_GEN_FAILURE
    [InlineData(Windows, 28, Gpt2Error.Unwritable)]
    [InlineData(MacOS, 28, Gpt2Error.DiskFull)] // ENOSPC
    [InlineData(MacOS, 69, Gpt2Error.DiskFull)] // EDQUOT
    [InlineData(MacOS, 35, Gpt2Error.InUse)] // EWOULDBLOCK
    [InlineData(MacOS, 122, Gpt2Error.Unwritable)]
    [InlineData(Linux, 28, Gpt2Error.DiskFull)]
    [InlineData(Linux, 122, Gpt2Error.DiskFull)] // EDQUOT
    [InlineData(Linux, 11, Gpt2Error.InUse)] // EWOULDBLOCK
    [InlineData(Linux, 69, Gpt2Error.Unwritable)] // ESRMNT
    [InlineData(Linux, 5, Gpt2Error.Unwritable)] // EIO
    public void The_numbers_of_each_system_become_their_kinds(string system, uint number, Gpt2Error expected)
    {
        var fault = new IOException("said", unchecked((int)number));
        WriteRefusal refusal = Of(system).RefusalOf(fault, FileAttributes.Normal, () => throw fault);
        Assert.Equal(expected, UnwritableFile.Refused("path", fault, Of(system), refusal).Error);
    }

    [Theory]
    [InlineData(Windows, 8, true)] // ERROR_NOT_ENOUGH_MEMORY
    [InlineData(Windows, 14, true)] // ERROR_OUTOFMEMORY
    [InlineData(Windows, 1455, true)] // ERROR_COMMITMENT_LIMIT
    [InlineData(Windows, 2, false)]
    public void Windows_tells_a_lack_of_memory_by_several_numbers(string system, int number, bool expected) =>
        Assert.Equal(expected, Of(system).IsLackOfMemory(new IOException("said", unchecked((int)0x80070000) | number)));

    [Theory]
    [InlineData(Windows, 123, true)] // ERROR_INVALID_NAME
    [InlineData(Windows, 161, true)] // ERROR_BAD_PATHNAME
    [InlineData(Windows, 32, false)]
    [InlineData(Linux, 123, false)]
    public void What_cannot_be_a_name_on_Windows_names_nothing(string system, int number, bool expected) =>
        Assert.Equal(expected, Of(system).IsMissing(new IOException("said", unchecked((int)0x80070000) | number)));

    [Fact]
    public void Who_is_denied_access_on_Windows_meets_a_file_that_is_mapped_or_marked_or_not_his()
    {
        var denied = new UnauthorizedAccessException();
        Assert.Equal(WriteRefusal.InUse, OfWindows(FileAttributes.Archive, () => { }));
        Assert.Equal(WriteRefusal.InUse, OfWindows(FileAttributes.Archive, () => throw new IOException("open", unchecked((int)0x80070020))));
        Assert.Equal(WriteRefusal.Other, OfWindows(FileAttributes.Archive, () => throw denied));
        Assert.Equal(WriteRefusal.ReadOnly, OfWindows(FileAttributes.Archive | FileAttributes.ReadOnly, () => throw denied));
        Assert.Equal(WriteRefusal.Other, OfWindows(FileAttributes.Directory, () => { }));
        Assert.Equal(WriteRefusal.Other, OfWindows(null, () => { }));
        Assert.Equal(WriteRefusal.Other, FileSystemFacts.Linux.RefusalOf(denied, FileAttributes.Normal, () => { }));

        WriteRefusal OfWindows(FileAttributes? attributes, Action open) => FileSystemFacts.Windows.RefusalOf(denied, attributes, open);
    }

    [Fact]
    public void The_sentences_say_what_to_do()
    {
        var denied = new UnauthorizedAccessException();
        Gpt2Exception open = UnwritableFile.Refused("a.npz", denied, FileSystemFacts.Windows, WriteRefusal.InUse);
        Gpt2Exception marked = UnwritableFile.Refused("a.npz", denied, FileSystemFacts.Windows, WriteRefusal.ReadOnly);
        Assert.Equal((Gpt2Error.InUse, "a.npz"), (open.Error, open.Path));
        Assert.Contains("close what reads it", open.Message, StringComparison.Ordinal);
        Assert.Equal(Gpt2Error.Unwritable, marked.Error);
        Assert.Contains("read-only", marked.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0x80070020, 3, false)]
    [InlineData(0x80070005, 3, false)] // ERROR_ACCESS_DENIED: somebody deletes it, or has it mapped
    [InlineData(0x80070020, 1000, true)]
    [InlineData(0x80070070, 1, true)]
    public void Windows_is_asked_again_for_a_while_where_the_fault_may_pass(uint number, int faults, bool isThrown)
    {
        var waits = new List<TimeSpan>();
        int tries = 0, collections = 0;
        Exception? thrown = Record.Exception(() => new BusyFile(FileSystemFacts.Windows, waits.Add, () => collections++).Try(TimeSpan.FromSeconds(1), () =>
        {
            if (tries++ < faults) throw new IOException("said", unchecked((int)number));
        }));
        Assert.Equal(isThrown, thrown is not null);
        Assert.Equal(number == 0x80070070 ? 0 : tries - 1, waits.Count);
        Assert.Equal(number == 0x80070070 ? 0 : 1, collections); // a file that this process has closed may still be mapped
        Assert.InRange(waits.Sum(wait => wait.TotalSeconds), 0, 1.2);
    }

    [Theory]
    [InlineData(Linux, 11)]
    [InlineData(MacOS, 35)]
    public void Elsewhere_who_holds_a_file_means_it(string system, int number)
    {
        int tries = 0;
        Assert.Throws<IOException>(() => new BusyFile(Of(system), _ => { }, () => { }).Try(TimeSpan.FromSeconds(1), () =>
        {
            tries++;
            throw new IOException("said", number);
        }));
        Assert.Equal(1, tries);
    }

    [Theory]
    [InlineData("model.ckpt-10", true, true)]
    [InlineData("../run2/model.ckpt", true, true)]
    [InlineData("/data/run/model.ckpt", true, true)]
    [InlineData(@"C:\run\model.ckpt", true, true)]
    [InlineData(@"\\server\share\model.ckpt", false, false)]
    [InlineData("//server/share/model.ckpt", false, false)]
    [InlineData(@"\\?\C:\run\model.ckpt", false, false)]
    [InlineData(@"\\.\pipe\x", false, false)]
    [InlineData(@"\??\C:\x", false, false)]
    [InlineData("a\0b", false, false)]
    [InlineData("C:model.ckpt", true, false)]
    [InlineData("runs/CON", true, false)]
    [InlineData(@"runs\nul.ckpt", true, false)]
    public void A_path_that_a_file_names_is_followed_only_to_where_it_can_have_meant(string path, bool onUnix, bool onWindows)
    {
        Assert.Equal(onUnix, FileSystemFacts.Linux.MayFollow(path));
        Assert.Equal(onUnix, FileSystemFacts.MacOS.MayFollow(path));
        Assert.Equal(onWindows, FileSystemFacts.Windows.MayFollow(path));
    }

    [Theory]
    [InlineData(@"C:\run\model.ckpt", "model.ckpt", "model.ckpt")]
    [InlineData("/run/model.ckpt", "model.ckpt", "model.ckpt")]
    [InlineData("C:model.ckpt", "C:model.ckpt", "model.ckpt")]
    [InlineData("model.ckpt:stream", "model.ckpt:stream", "stream")]
    [InlineData("runs/aux", "aux", "")]
    [InlineData("runs/", "", "")]
    [InlineData("a/b\0c", "", "")]
    public void The_name_in_a_path_of_any_system_is_found(string path, string onUnix, string onWindows)
    {
        Assert.Equal(onUnix, FileSystemFacts.Linux.NameIn(path));
        Assert.Equal(onWindows, FileSystemFacts.Windows.NameIn(path));
    }

    [Fact]
    public void The_cache_is_where_each_system_has_it()
    {
        string Folder(Environment.SpecialFolder folder) => folder == Environment.SpecialFolder.LocalApplicationData ? "local" : "home";
        Assert.Equal(Path.Combine("local", "PicoGpt"), FileSystemFacts.Windows.CacheFolder(_ => "/ignored", Folder));
        Assert.Equal(Path.Combine("home", "Library", "Caches", "PicoGpt"), FileSystemFacts.MacOS.CacheFolder(_ => "/ignored", Folder));
        Assert.Equal(Path.Combine("home", ".cache", "picogpt"), FileSystemFacts.Linux.CacheFolder(_ => null, Folder));
        Assert.Equal(Path.Combine("home", ".cache", "picogpt"), FileSystemFacts.Linux.CacheFolder(_ => "relative", Folder));
        Assert.Equal(Path.Combine("/cache", "picogpt"), FileSystemFacts.Linux.CacheFolder(name => name == "XDG_CACHE_HOME" ? "/cache" : null, Folder));
    }

    [Fact]
    public void Names_are_compared_as_each_system_does()
    {
        Assert.Equal(StringComparison.OrdinalIgnoreCase, FileSystemFacts.Windows.NameComparison);
        Assert.Equal(StringComparison.OrdinalIgnoreCase, FileSystemFacts.MacOS.NameComparison);
        Assert.Equal(StringComparison.Ordinal, FileSystemFacts.Linux.NameComparison);
    }

    [Fact]
    public void This_machine_is_one_of_them() => Assert.Same(
        OperatingSystem.IsWindows() ? FileSystemFacts.Windows : OperatingSystem.IsMacOS() ? FileSystemFacts.MacOS : FileSystemFacts.Linux, FileSystemFacts.OfThisMachine);
}

using System.Diagnostics;
using PicoGpt.Files;
using Xunit;

namespace PicoGpt.Tests;

public sealed class OutputFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Path => _folder.File("file");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_file_has_its_name_when_it_is_finished_and_not_before()
    {
        using var file = new OutputFile(Path);
        file.Write([1, 2, 3]);
        Assert.False(File.Exists(Path));
        file.Finish();
        Assert.Equal([1, 2, 3], File.ReadAllBytes(Path));
        Assert.Single(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void Without_that_nothing_is_left_and_an_older_one_stays()
    {
        File.WriteAllText(Path, "old");
        using (var file = new OutputFile(Path)) file.Write([1, 2, 3]);
        Assert.Equal("old", File.ReadAllText(Path));
        Assert.Single(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void An_older_one_is_replaced_only_when_it_may_be()
    {
        File.WriteAllText(Path, "old");
        using (var file = new OutputFile(Path)) Assert.Throws<IOException>(() => file.Finish(overwrite: false));
        Assert.Equal("old", File.ReadAllText(Path));
        using (var file = new OutputFile(Path)) file.Finish();
        Assert.Equal("", File.ReadAllText(Path));
        Assert.Single(Directory.GetFiles(_folder.Path));
    }

    [Theory]
    [InlineData("Access to the path '/a/b' is denied", "Access to the path '/a/b.0123456789abcdef0123456789abcdef.tmp' is denied")]
    [InlineData("Read-only file system", "Read-only file system : '/a/.0123456789abcdef0123456789abcdef.tmp'")]
    [InlineData("The filename, directory name, or volume label syntax is incorrect", "The filename, directory name, or volume label syntax is incorrect. : 'C:\\a?b.0123456789abcdef0123456789abcdef.tmp'")]
    [InlineData("Access to the path '/a' is denied", "Access to the path '/a/.0123456789abcdef0123456789abcdef.tmp' is denied")]
    [InlineData("'C:\\a\\b' is open", "'C:\\a\\b.0123456789abcdef0123456789abcdef.old.tmp' is open")]
    [InlineData("'/a/b.tmp' is open", "'/a/b.tmp' is open")]
    public void What_the_system_says_of_a_temporary_name_is_told_of_the_name_that_was_given(string told, string said) =>
        Assert.Equal(told, UnwritableFile.ReasonOf(new IOException(said)));

    [Fact]
    public void A_folder_in_which_no_file_can_be_made_is_named_as_it_was_given()
    {
        File.WriteAllText(Path, "a file");
        Assert.Equal($"'{Path}' cannot be written: '{Path}' is a file and not a folder.", Refusal(Path));
        string below = System.IO.Path.Combine(Path, "a", "b");
        Assert.Equal($"'{below}' cannot be written: '{Path}' is a file and not a folder.", Refusal(below));
        Assert.Single(Directory.GetFileSystemEntries(_folder.Path));
        Assert.SkipUnless(OperatingSystem.IsLinux(), "it asks Linux's /proc");
        Assert.Equal("'/proc/mine' cannot be written: no file can be made in '/proc'.", Refusal("/proc/mine"));
        Assert.Equal("'/proc' cannot be written: no file can be made in '/proc'.", Refusal("/proc"));
        Assert.Equal("'/proc/mine' cannot be written: no file can be made in '/proc'.", Assert.Throws<Gpt2Exception>(() => OutputFile.Save("/proc/mine", _ => { })).Message);

        static string Refusal(string folder) => Assert.Throws<Gpt2Exception>(() => UnwritableFile.ThrowIfUnwritable(folder)).Message;
    }

    [Fact]
    public void A_long_write_is_counted_and_can_be_stopped_on_its_way()
    {
        using var stop = new CancellationTokenSource();
        var stopper = new Stopper(stop);
        using (var file = new OutputFile(Path, new WriteMeter(stopper, stop.Token)))
            Assert.Throws<OperationCanceledException>(() => file.Write(new byte[20_000_000]));
        Assert.InRange(stopper.Written, 1, 10_000_000);
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void What_a_killed_process_left_is_taken_away_by_the_next_that_writes_there_and_nothing_else()
    {
        string orphan = _folder.File($"other.npz.{Guid.NewGuid():n}.tmp"), foreign = _folder.File("mine.tmp"), precious = _folder.File("precious");
        string link = _folder.File($"link.{Guid.NewGuid():n}.tmp"), young = _folder.File($"young.{Guid.NewGuid():n}.tmp");
        foreach (string file in (string[])[orphan, foreign, precious, young]) File.WriteAllText(file, "content");
        if (!OperatingSystem.IsWindows()) File.CreateSymbolicLink(link, precious);
        foreach (string file in (string[])[orphan, foreign, precious]) File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddHours(-1));
        using (var file = new OutputFile(Path)) file.Finish();
        Assert.False(File.Exists(orphan));
        Assert.All((string[])[foreign, precious, young], file => Assert.True(File.Exists(file), file)); // the last may be about to get its name
        Assert.Equal(!OperatingSystem.IsWindows(), File.Exists(link));
    }

    [Fact]
    public void A_file_is_taken_away_from_a_process_that_was_killed_and_not_from_one_that_is_slow()
    {
        string temporary;
        using (Process child = ChildProcess.Start(KilledWriter.Verb, _folder.File("weights.npz")))
        {
            Assert.Equal("written", child.StandardOutput.ReadLine());
            temporary = Assert.Single(Directory.GetFiles(_folder.Path));
            File.SetLastWriteTimeUtc(temporary, DateTime.UtcNow.AddHours(-1));
            using (var meanwhile = new OutputFile(Path)) meanwhile.Finish();
            Assert.True(File.Exists(temporary));
            child.Kill();
            child.WaitForExit();
        }

        using (var file = new OutputFile(Path)) file.Finish();
        Assert.False(File.Exists(temporary));
    }

    private sealed class Stopper(CancellationTokenSource source) : IProgress<long>
    {
        public long Written { get; private set; }

        public void Report(long value)
        {
            Written = value;
            source.Cancel();
        }
    }
}

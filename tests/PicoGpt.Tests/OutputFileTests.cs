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

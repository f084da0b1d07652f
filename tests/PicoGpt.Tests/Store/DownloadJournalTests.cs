using PicoGpt.Store;
using Xunit;

namespace PicoGpt.Tests.Store;

public sealed class DownloadJournalTests
{
    [Fact]
    public void A_journal_cut_at_any_byte_claims_nothing_that_was_not_written()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("journal");
        var journal = new DownloadJournal(path);
        journal.Write("https://example.org/", "\"a b\"", 1000, new RangeSet());
        journal.Append(new ByteRange(0, 123));
        journal.Append(new ByteRange(500, 789));
        byte[] whole = File.ReadAllBytes(path);
        long[] counts = new long[whole.Length + 1];
        for (int length = 0; length <= whole.Length; length++)
        {
            File.WriteAllBytes(path, whole[..length]);
            counts[length] = new DownloadJournal(path).Done.Count;
        }

        Assert.Equal([0, 123, 412], counts.Distinct());
        var read = new DownloadJournal(path);
        Assert.Equal(("https://example.org/", "\"a b\"", 1000L), (read.Source, read.Validator, read.Length));
    }

    [Theory]
    [InlineData("done 0 2000\n")]
    [InlineData("done -5 7\n")]
    [InlineData("done 9 7\n")]
    [InlineData("done 0 99999999999999999999\n")]
    [InlineData("ready 0 7\n")]
    public void Lines_that_make_no_sense_are_ignored(string line)
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("journal");
        new DownloadJournal(path).Write("", "", 1000, new RangeSet());
        File.AppendAllText(path, line);
        Assert.Equal(0, new DownloadJournal(path).Done.Count);
    }

    [Fact]
    public void A_length_that_no_file_has_is_not_believed()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("journal");
        File.WriteAllText(path, "picogpt download 1\nsource https://example.org/\nvalidator x\nlength 4611686018427387904\n");
        Assert.Null(new DownloadJournal(path).Length);
    }

    [Fact]
    public void Ranges_in_any_order_are_put_together()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("journal");
        new DownloadJournal(path).Write("", "", 1_000_000, new RangeSet());
        File.AppendAllText(path, string.Concat(Enumerable.Range(0, 20_000).Reverse().Select(i => $"done {3 * i} {(3 * i) + 2}\n")));
        Assert.Equal(40_000, new DownloadJournal(path).Done.Count);
    }

    [Fact]
    public void A_journal_that_another_program_keeps_from_being_written_is_behind_and_never_wrong()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("journal");
        var journal = new DownloadJournal(path);
        journal.Write("https://example.org/", "x", 1000, new RangeSet());
        journal.Append(new ByteRange(0, 100));
        using (new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.None)) journal.Append(new ByteRange(100, 200));
        Assert.Equal(200, journal.Done.Count);
        Assert.Equal(100, new DownloadJournal(path).Done.Count);
        journal.Append(new ByteRange(300, 350));
        Assert.Equal([new ByteRange(0, 200), new ByteRange(300, 350)], new DownloadJournal(path).Done.Ranges);
    }

    [Fact]
    public void A_source_that_could_not_be_noted_is_noted_with_the_next_range()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("journal");
        var journal = new DownloadJournal(path);
        journal.Write("https://example.org/", "x", 1000, new RangeSet());
        using (new FileStream(path + ".new", FileMode.Create, FileAccess.Write, FileShare.None)) journal.Adopt("https://example.com/", "y", 1000);
        Assert.Equal("https://example.org/", new DownloadJournal(path).Source);
        journal.Append(new ByteRange(0, 100));
        var read = new DownloadJournal(path);
        Assert.Equal(("https://example.com/", "y", 100L), (read.Source, read.Validator, read.Done.Count));
    }

    [Fact]
    public async Task Who_reads_a_journal_and_who_writes_it_do_not_disturb_each_other()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("journal");
        var journal = new DownloadJournal(path);
        journal.Write("", "", 10_000, new RangeSet());
        using var stop = new CancellationTokenSource();
        Task readers = Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(
            () =>
            {
                while (!stop.IsCancellationRequested) Assert.InRange(new DownloadJournal(path).Done.Count, 0, 10_000);
            },
            TestContext.Current.CancellationToken)));
        try
        {
            for (int i = 0; i < 1000; i++)
            {
                if (i % 50 == 0) journal.Write("", "", 10_000, journal.Done);
                journal.Append(new ByteRange(10 * i, (10 * i) + 10));
            }
        }
        finally
        {
            await stop.CancelAsync();
        }

        await readers;
        journal.Append(new ByteRange(0, 1)); // in case that the last one could not be noted
        Assert.Equal(10_000, new DownloadJournal(path).Done.Count);
    }
}

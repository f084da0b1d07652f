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
        File.AppendAllLines(path, Enumerable.Range(0, 20_000).Reverse().Select(i => $"done {3 * i} {(3 * i) + 2}"));
        Assert.Equal(40_000, new DownloadJournal(path).Done.Count);
    }
}

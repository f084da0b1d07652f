using PicoGpt.Store;
using Xunit;

namespace PicoGpt.Tests.Store;

/// <summary>Symbolic links in the cache: what they lead to is never written, never deleted, and never an unexpected fault.</summary>
public sealed class LinkTests : IDisposable
{
    private const string Precious = "not the store's";

    private readonly TemporaryFolder _folder = new();
    private readonly ModelStore _store;
    private readonly string _precious;

    public LinkTests()
    {
        _store = new ModelStore(_folder.File("store"));
        _precious = _folder.File("precious");
        File.WriteAllText(_precious, Precious);
        Directory.CreateDirectory(_folder.File("store/Tiny"));
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(".locks/Tiny")]
    [InlineData(".locks/Tiny.owner")]
    [InlineData(".locks/Tiny.use")]
    [InlineData($"Tiny/{TestModel.Data}.part")]
    [InlineData($"Tiny/{TestModel.Data}.part.journal")]
    [InlineData($"Tiny/{TestModel.Data}.part.journal.new")]
    [InlineData($"Tiny/{TestModel.Data}")]
    public async Task Nothing_is_written_through_a_link(string place)
    {
        Directory.CreateDirectory(_folder.File("store/.locks"));
        string missing = _folder.File("missing");
        foreach (string target in new[] { _precious, missing })
        {
            Links.ToFile(_folder.File($"store/{place}"), target);
            await FetchAsync();
            TestModel.AssertWhole(_folder.File("store/Tiny"));
            using (_store.Open(TestModel.Catalog)) Assert.Equal(Precious, File.ReadAllText(_precious));
            Assert.False(File.Exists(missing));
            Directory.Delete(_folder.File("store/Tiny"), recursive: true);
            Directory.Delete(_folder.File("store/.locks"), recursive: true);
            Directory.CreateDirectory(_folder.File("store/Tiny"));
            Directory.CreateDirectory(_folder.File("store/.locks"));
        }
    }

    [Fact]
    public async Task A_journal_that_is_a_link_vouches_for_nothing()
    {
        string data = _folder.File($"store/Tiny/{TestModel.Data}"), journal = _folder.File("elsewhere.journal");
        byte[] wrong = new byte[TestModel.Files[TestModel.Data].Length];
        File.WriteAllBytes(data + ".part", wrong);
        new DownloadJournal(journal).Write("", "", wrong.Length, Whole(wrong.Length));
        Links.ToFile(data + ".part.journal", journal);
        Assert.Equal(0, PartFile.DoneLengthOf(data));
        string before = File.ReadAllText(journal);
        await FetchAsync();
        TestModel.AssertWhole(_folder.File("store/Tiny"));
        Assert.Equal(before, File.ReadAllText(journal));
    }

    [Fact]
    public void Bytes_behind_a_link_are_not_those_of_an_unfinished_file()
    {
        string data = _folder.File($"store/Tiny/{TestModel.Data}");
        Links.ToFile(data + ".part", _precious);
        new DownloadJournal(data + ".part.journal").Write("", "", Precious.Length, Whole(Precious.Length));
        Assert.Equal(0, PartFile.DoneLengthOf(data));
    }

    [Fact]
    public void A_link_to_a_file_of_a_model_is_the_file_and_one_to_nothing_or_itself_is_none()
    {
        string elsewhere = Directory.CreateDirectory(_folder.File("elsewhere")).FullName;
        foreach ((string name, byte[] bytes) in TestModel.Files)
        {
            File.WriteAllBytes(Path.Combine(elsewhere, name), bytes);
            Links.ToFile(_folder.File($"store/Tiny/{name}"), Path.Combine(elsewhere, name));
        }

        Assert.Equal(ModelState.Cached, _store.Describe(TestModel.Catalog).State);
        Assert.Equal(TestModel.Catalog.DownloadSize, _store.Describe(TestModel.Unknown).SizeOnDisk);
        using (_store.Open(TestModel.Catalog)) Assert.All(_store.Check(TestModel.Catalog), check => Assert.True(check.IsValid, check.Problem));

        string data = _folder.File($"store/Tiny/{TestModel.Data}");
        foreach (string target in new[] { _folder.File("missing"), data })
        {
            File.Delete(data);
            Links.ToFile(data, target);
            Assert.Equal(ModelState.Partial, _store.Describe(TestModel.Catalog).State);
            Assert.Equal(ModelState.Partial, _store.Describe(TestModel.Unknown).State);
            Assert.Equal(Gpt2Error.ModelNotCached, Assert.Throws<Gpt2Exception>(() => _store.Open(TestModel.Catalog)).Error);
            Assert.Contains(_store.Check(TestModel.Catalog), check => check.File == TestModel.Data && !check.IsValid);
        }
    }

    [Fact]
    public async Task Repair_leaves_what_a_link_leads_to_as_it_is()
    {
        byte[] damaged = [.. TestModel.Files[TestModel.Data]];
        damaged[^1] ^= 1;
        TestModel.WriteTo(_folder.File("store/Tiny"));
        File.WriteAllBytes(_precious, damaged);
        File.Delete(_folder.File($"store/Tiny/{TestModel.Data}"));
        Links.ToFile(_folder.File($"store/Tiny/{TestModel.Data}"), _precious);
        await using FaultyServer server = await FaultyServer.StartAsync();
        await new ModelDownloader(_store).RepairAsync(
            TestModel.Catalog, server.Options, TestContext.Current.CancellationToken);
        TestModel.AssertWhole(_folder.File("store/Tiny"));
        Assert.Equal(damaged, File.ReadAllBytes(_precious));
    }

    [Theory]
    [InlineData("nowhere")]
    [InlineData("store/Tiny")]
    [InlineData("precious")]
    public void Remove_deletes_a_link_that_is_no_folder(string target)
    {
        Directory.Delete(_folder.File("store/Tiny"));
        Links.ToFolder(_folder.File("store/Tiny"), _folder.File(target));
        Assert.Equal(ModelState.NotFetched, _store.Describe(TestModel.Catalog).State);
        _store.Remove(TestModel.Catalog);
        Assert.Null(new FileInfo(_folder.File("store/Tiny")).LinkTarget);
        Assert.Equal(Precious, File.ReadAllText(_precious));
    }

    [Fact]
    public async Task A_model_whose_folder_leads_nowhere_cannot_be_fetched_and_says_so()
    {
        Directory.Delete(_folder.File("store/Tiny"));
        Links.ToFolder(_folder.File("store/Tiny"), _folder.File("nowhere"));
        Gpt2Exception fault = await Assert.ThrowsAsync<Gpt2Exception>(FetchAsync);
        Assert.Equal(Gpt2Error.Unwritable, fault.Error);
        TestModel.AssertSentence(fault.Message);
        Assert.False(Directory.Exists(_folder.File("nowhere")));
    }

    [Fact]
    public void A_model_of_the_catalog_is_read_from_its_own_folder_whatever_its_checkpoint_file_names()
    {
        string elsewhere = Directory.CreateDirectory(_folder.File("elsewhere")).FullName;
        TestModel.WriteTo(_folder.File("store/Tiny"));
        foreach ((string name, byte[] bytes) in TestModel.OtherFiles) File.WriteAllBytes(Path.Combine(elsewhere, name), bytes);
        string named = "model_checkpoint_path: \"../../elsewhere/model.ckpt\"\n";
        File.WriteAllText(_folder.File("store/Tiny/checkpoint"), named);
        using Gpt2Model model = _store.Open(TestModel.Unknown);
        Assert.Equal(_folder.File("store/Tiny"), model.Path);
    }

    private static RangeSet Whole(long length)
    {
        var ranges = new RangeSet();
        ranges.Add(new ByteRange(0, length));
        return ranges;
    }

    private async Task FetchAsync()
    {
        await using FaultyServer server = await FaultyServer.StartAsync();
        await new ModelDownloader(_store).FetchAsync(
            TestModel.Catalog, server.Options, TestContext.Current.CancellationToken);
    }
}

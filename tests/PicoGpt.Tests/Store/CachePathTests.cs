using PicoGpt.Exporting;
using PicoGpt.Store;
using PicoGpt.Weights;
using Xunit;

namespace PicoGpt.Tests.Store;

/// <summary>Where a cache may be, and where it cannot.</summary>
public sealed class CachePathTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("a cache of models")]
    [InlineData("Кэш 模型 été 😀")]
    [InlineData("a%20b#c&d+e;f='g'")]
    [InlineData("-rf $(exit) `x` [a] {b}")]
    [InlineData("two\nlines\tand\u001b[2J", true)]
    [InlineData("back\\slash\"quotes\" ?*|<>:", true)]
    [InlineData(" spaces at the ends ", true)]
    public async Task A_cache_and_a_source_of_any_name_do(string name, bool isOfUnixAlone = false)
    {
        Assert.SkipWhen(isOfUnixAlone && OperatingSystem.IsWindows(), "there is no such file name");
        string source = _folder.File($"source {name}"), root = _folder.File(name);
        TestModel.WriteTo(Path.Combine(source, "Tiny"));
        var store = new ModelStore(root);
        DownloadOptions options = TestModel.Options("file:///nowhere") with { Sources = [ModelSource.Parse(source)] };
        await new ModelDownloader(store).FetchAsync(TestModel.Catalog, options, TestContext.Current.CancellationToken);
        TestModel.AssertWhole(Path.Combine(root, "Tiny"));
        using (Gpt2Model model = store.Open(TestModel.Catalog))
        {
            Assert.All(store.Check(TestModel.Catalog), check => Assert.True(check.IsValid, check.Problem));
            using var packed = PackedWeights.Open(model.Parameters, model.Path, Gpt2Precision.Int8, smallestFile: 0);
            Assert.True(File.Exists(Path.Combine(model.Path, "converted", "int8.index")));
            ModelExport.Plan(model, Path.Combine(root, "exported"), "TensorFlow").Run();
            using var exported = Gpt2Model.Open(Path.Combine(root, "exported"));
            Assert.Equal(Path.Combine(root, "exported"), exported.Path);
        }

        store.Remove(TestModel.Catalog);
        Assert.False(Directory.Exists(Path.Combine(root, "Tiny")));
    }

    [Theory]
    [InlineData(20, 300)]
    [InlineData(30, 200)]
    public async Task A_cache_whose_path_is_too_long_is_refused(int parts, int length)
    {
        string root = Path.Combine([_folder.Path, .. Enumerable.Repeat(new string('x', length), parts)]);
        var store = new ModelStore(root);
        Assert.Equal(ModelState.NotFetched, store.Describe(TestModel.Catalog).State);
        Assert.Equal(Gpt2Error.ModelNotCached, Assert.Throws<Gpt2Exception>(() => store.Open(TestModel.Catalog)).Error);
        Assert.Contains(store.Check(TestModel.Catalog), check => !check.IsValid);
        store.Remove(TestModel.Catalog);
        await AssertUnwritable(store);
        Assert.Equal(Gpt2Error.FileNotFound, Assert.Throws<Gpt2Exception>(() => Gpt2Model.Open(root)).Error);
        using Gpt2Model model = BuiltInModel.Open();
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => ModelExport.Plan(model, root, "Npz").Run());
        Assert.Equal(Gpt2Error.Unwritable, fault.Error);
        TestModel.AssertSentence(fault.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Tiny")]
    [InlineData(".locks")]
    public async Task A_file_where_a_folder_should_be_is_refused_and_left_alone(string place)
    {
        string path = Path.Combine(_folder.File("store"), place).TrimEnd(Path.DirectorySeparatorChar);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, "mine");
        var store = new ModelStore(_folder.File("store"));
        Assert.Equal(ModelState.NotFetched, store.Describe(TestModel.Catalog).State);
        await AssertUnwritable(store);
        Assert.Equal("mine", File.ReadAllText(path));
        File.Delete(path);
        await using FaultyServer server = await FaultyServer.StartAsync();
        await new ModelDownloader(store).FetchAsync(TestModel.Catalog, server.Options, TestContext.Current.CancellationToken);
        TestModel.AssertWhole(_folder.File("store/Tiny"));
    }

    [Theory]
    [InlineData(TestModel.Data)]
    [InlineData($"{TestModel.Data}.part")]
    public async Task A_folder_where_a_file_should_be_is_refused_and_left_alone(string place)
    {
        string path = _folder.File($"store/Tiny/{place}");
        Directory.CreateDirectory(Path.Combine(path, "mine"));
        var store = new ModelStore(_folder.File("store"));
        Assert.NotEqual(ModelState.Cached, store.Describe(TestModel.Catalog).State);
        await AssertUnwritable(store);
        Assert.True(Directory.Exists(Path.Combine(path, "mine")));
        TestModel.AssertNothingWrong(_folder.File("store/Tiny"));
    }

    [Theory]
    [InlineData("")]
    [InlineData(".new")]
    public async Task A_folder_in_the_place_of_a_journal_is_left_alone_and_keeps_no_file_from_arriving(string ending)
    {
        string path = _folder.File($"store/Tiny/{TestModel.Data}.part.journal{ending}");
        Directory.CreateDirectory(Path.Combine(path, "mine"));
        await using FaultyServer server = await FaultyServer.StartAsync();
        await new ModelDownloader(new ModelStore(_folder.File("store"))).FetchAsync(TestModel.Catalog, server.Options, TestContext.Current.CancellationToken);
        TestModel.AssertWhole(_folder.File("store/Tiny"));
        Assert.True(Directory.Exists(Path.Combine(path, "mine")));
    }

    [Fact]
    public async Task A_journal_that_another_program_holds_keeps_no_file_from_arriving()
    {
        Directory.CreateDirectory(_folder.File("store/Tiny"));
        string journal = _folder.File($"store/Tiny/{TestModel.Data}.part.journal");
        await using FaultyServer server = await FaultyServer.StartAsync();
        using (new FileStream(journal + ".new", FileMode.Create, FileAccess.Write, FileShare.None))
        {
            await new ModelDownloader(new ModelStore(_folder.File("store"))).FetchAsync(TestModel.Catalog, server.Options, TestContext.Current.CancellationToken);
            Assert.Equal(ModelState.Cached, new ModelStore(_folder.File("store")).Describe(TestModel.Catalog).State);
        }

        File.Delete(journal + ".new"); // where it could not be deleted, it stays and vouches for nothing
        TestModel.AssertWhole(_folder.File("store/Tiny"));
    }

    private static async Task AssertUnwritable(ModelStore store)
    {
        await using FaultyServer server = await FaultyServer.StartAsync();
        Gpt2Exception fault = await Assert.ThrowsAsync<Gpt2Exception>(() => new ModelDownloader(store)
            .FetchAsync(TestModel.Catalog, server.Options with { FreeSpace = _ => long.MaxValue }, TestContext.Current.CancellationToken));
        Assert.Equal(Gpt2Error.Unwritable, fault.Error);
        TestModel.AssertSentence(fault.Message);
    }
}

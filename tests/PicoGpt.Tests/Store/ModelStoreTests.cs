using PicoGpt.Machine;
using PicoGpt.Store;
using Xunit;

namespace PicoGpt.Tests.Store;

public sealed class ModelStoreTests
{
    [Theory]
    [InlineData("124M", "124M")]
    [InlineData("124m", "124M")]
    [InlineData("gpt2", "124M")]
    [InlineData("117M", "124M")]
    [InlineData("GPT2-Medium", "355M")]
    [InlineData("345M", "355M")]
    [InlineData("gpt2-large", "774M")]
    [InlineData("gpt2-xl", "1558M")]
    [InlineData("1.5B", "1558M")]
    [InlineData("openai-community/gpt2", "124M")]
    [InlineData("openai-community/gpt2-medium", "355M")]
    [InlineData("openai-community/gpt2-large", "774M")]
    [InlineData("OpenAI-Community/gpt2-xl", "1558M")]
    public void A_model_is_known_by_the_names_people_use(string name, string model)
    {
        Assert.True(ModelCatalog.TryResolve(name, out CatalogModel? found));
        Assert.Equal(model, found.Name);
    }

    [Fact]
    public void An_unknown_name_is_refused_with_the_names_there_are()
    {
        using var folder = new TemporaryFolder();
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => new ModelStore(folder.Path).Open("744M", folder.File("744M")));
        Assert.Equal(Gpt2Error.UnknownModel, fault.Error);
        Assert.Contains("774M", fault.Message, StringComparison.Ordinal);
        Assert.Contains("1.5B", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_that_is_not_here_is_refused_with_where_it_was_sought()
    {
        using var folder = new TemporaryFolder();
        var store = new ModelStore(folder.Path);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => store.Open("124M", folder.File("124M")));
        Assert.Equal(Gpt2Error.ModelNotCached, fault.Error);
        Assert.Contains(folder.File("124M"), fault.Message, StringComparison.Ordinal);
        Assert.Equal("124M", fault.Model);
    }

    [Fact]
    public void A_model_of_the_catalog_has_its_own_number_of_heads()
    {
        using var folder = new TemporaryFolder();
        var store = new ModelStore(folder.Path);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => store.Open("3m", "3m", headCount: 6));
        Assert.Contains("n_head = 3, where 6 heads were asked for", fault.Message, StringComparison.Ordinal);
        using Gpt2Model model = store.Open("3m", "3m", headCount: 3);
        Assert.Equal(3, model.HyperParameters.NHead);
    }

    [Fact]
    public void The_built_in_model_opens_by_name()
    {
        using var folder = new TemporaryFolder();
        using Gpt2Model model = new ModelStore(folder.Path).Open("3m", "3m");
        Assert.Equal("3M", model.Name);
        Assert.True(ModelCatalog.TryResolve("3M", out CatalogModel? entry));
        Assert.Equal(entry.HyperParameters, model.HyperParameters);
    }

    [Fact]
    public void A_folder_wins_over_the_name_that_Hugging_Face_gives_a_model_and_over_no_other()
    {
        using var folder = new TemporaryFolder();
        var store = new ModelStore(folder.File("cache"));
        Assert.Equal("124M", Assert.Throws<Gpt2Exception>(() => store.Open("openai-community/gpt2", folder.File("openai-community/gpt2"))).Model);
        foreach (string path in (string[])["openai-community/gpt2", "gpt2"]) RandomModel.Write(folder.File(path), Shapes.Small);
        using Gpt2Model model = store.Open("openai-community/gpt2", folder.File("openai-community/gpt2"));
        Assert.Equal(folder.File("openai-community/gpt2"), model.Path);
        Assert.Equal("124M", Assert.Throws<Gpt2Exception>(() => store.Open("gpt2", folder.File("gpt2"))).Model);
    }

    [Theory]
    [InlineData("distilbert/distilgpt2", true)]
    [InlineData("./distilgpt2", false)]
    [InlineData("~/models", false)]
    [InlineData("a/b/c", false)]
    public void What_may_be_another_model_of_Hugging_Face_is_told_how_to_be_had(string name, bool isToldHow)
    {
        using var folder = new TemporaryFolder();
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => new ModelStore(folder.Path).Open(name, folder.File(name)));
        Assert.Equal(Gpt2Error.FileNotFound, fault.Error);
        Assert.Equal(isToldHow, fault.Message.EndsWith(". If it is a model at Hugging Face, fetch all files of it into a folder, and give the path of that: only OpenAI's models are fetched by name.", StringComparison.Ordinal));
    }

    [Fact]
    public void A_path_opens_where_it_is_no_name()
    {
        using var folder = new TemporaryFolder();
        RandomModel.Write(folder.File("mine"), Shapes.Small);
        using Gpt2Model model = new ModelStore(folder.Path).Open("mine", folder.File("mine"));
        Assert.Equal("mine", model.Name);
    }

    [Fact]
    public void States_tell_what_is_here()
    {
        using var folder = new TemporaryFolder();
        var store = new ModelStore(folder.Path);
        CatalogModel model = TestModel.Catalog;
        Assert.Equal(ModelState.NotFetched, store.Describe(model).State);
        Directory.CreateDirectory(folder.File("Tiny"));
        File.WriteAllText(folder.File("Tiny/vocab.bpe"), "of another length");
        Assert.Equal(ModelState.Partial, store.Describe(model).State);
        Assert.Equal(model.DownloadSize, store.Describe(model).SizeToFetch);
        TestModel.WriteTo(folder.File("Tiny"));
        Assert.Equal(ModelState.Cached, store.Describe(model).State);
        Assert.Equal(model.DownloadSize, store.Describe(model).SizeOnDisk);
        Assert.Equal(0, store.Describe(model).SizeToFetch);
        Assert.Equal(ModelState.BuiltIn, store.List().Single(m => m.Name == "3M").State);
    }

    [Fact]
    public void A_model_that_is_not_whole_is_not_all_of_it() =>
        Assert.Equal(99, new ModelInfo("x", ModelState.Partial, 0, SizeOnDisk: 10, SizeToFetch: 0, 0, "") { SizeFetched = 10 }.Percent);

    [Fact]
    public void An_unfinished_file_counts_by_what_of_it_is_there()
    {
        using var folder = new TemporaryFolder();
        var store = new ModelStore(folder.Path);
        Directory.CreateDirectory(folder.File("Tiny"));
        string path = folder.File($"Tiny/{TestModel.Data}");
        using (var part = new PartFile(path))
        {
            RandomAccess.Write(part.Handle, TestModel.Files[TestModel.Data], 0);
            part.Adopt("https://example.org/", "\"v1\"", TestModel.Files[TestModel.Data].Length);
            part.MarkDone(new ByteRange(0, 1000));
            part.MarkDone(new ByteRange(100_000, 200_000));
        }

        ModelInfo info = store.Describe(TestModel.Catalog);
        Assert.Equal(ModelState.Partial, info.State);
        Assert.Equal(new DirectoryInfo(folder.File("Tiny")).EnumerateFiles().Sum(file => file.Length), info.SizeOnDisk);
        Assert.Equal(TestModel.Catalog.DownloadSize - 101_000, info.SizeToFetch);
        Assert.Equal((int)(101_000 * 100 / TestModel.Catalog.DownloadSize), info.Percent);
    }

    [Fact]
    public void Check_names_the_tensors_that_are_damaged()
    {
        using var folder = new TemporaryFolder();
        var store = new ModelStore(folder.Path);
        TestModel.WriteTo(folder.File("Tiny"));
        Assert.All(store.Check(TestModel.WithoutHashes), check => Assert.True(check.IsValid, check.Problem));
        Assert.Equal(["h0", "ln_f", "wpe", "wte"], store.Check(TestModel.WithoutHashes).Select(check => check.Tensors).Where(group => group is not null));

        string path = folder.File($"Tiny/{TestModel.Data}");
        byte[] bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 1;
        File.WriteAllBytes(path, bytes);
        ModelCheck broken = Assert.Single(store.Check(TestModel.WithoutHashes), check => !check.IsValid);
        Assert.Equal("ln_f", broken.Tensors);
        Assert.Contains("'model/ln_f/b'", broken.Problem, StringComparison.Ordinal);
        Assert.Equal([null, "ln_f"], store.Check(TestModel.Catalog).Where(check => !check.IsValid).Select(check => check.Tensors));
    }

    [Fact]
    public void Check_names_the_files_that_are_missing_or_something_else()
    {
        using var folder = new TemporaryFolder();
        TestModel.WriteTo(folder.File("Tiny"));
        File.Delete(folder.File($"Tiny/{TestModel.Index}"));
        File.WriteAllText(folder.File($"Tiny/{TestModel.Encoder}"), "<html>not here</html>");
        ModelCheck[] broken = [.. new ModelStore(folder.Path).Check(TestModel.Catalog).Where(check => !check.IsValid)];
        Assert.Equal([TestModel.Index, TestModel.Encoder], broken.Select(check => check.File));
        Assert.Contains("missing", broken[0].Problem, StringComparison.Ordinal);
        Assert.Contains("not here", broken[1].Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void The_built_in_model_is_checked_too()
    {
        Assert.True(ModelCatalog.TryResolve("3M", out CatalogModel? model));
        ModelCheck[] checks = [.. ModelStore.Default.Check(model)];
        Assert.All(checks, check => Assert.True(check.IsValid, check.Problem));
        Assert.Contains(checks, check => check.Tensors == "h5");
    }

    [Fact]
    public void Remove_deletes_the_model_and_nothing_that_it_links_to()
    {
        using var folder = new TemporaryFolder();
        var store = new ModelStore(folder.File("store"));
        string elsewhere = folder.File("elsewhere");
        Directory.CreateDirectory(elsewhere);
        File.WriteAllText(Path.Combine(elsewhere, "precious"), "");
        Directory.CreateDirectory(folder.File("store/Tiny"));
        Links.ToFile(folder.File("store/Tiny/vocab.bpe"), Path.Combine(elsewhere, "precious"));
        Assert.Equal(["vocab.bpe"], store.Remove(TestModel.Catalog).Files);
        Assert.False(Directory.Exists(folder.File("store/Tiny")));

        Links.ToFolder(folder.File("store/Tiny"), elsewhere);
        store.Remove(TestModel.Catalog);
        Assert.False(Path.Exists(folder.File("store/Tiny")));
        Assert.True(File.Exists(Path.Combine(elsewhere, "precious")));
        store.Remove(TestModel.Catalog);
    }

    [Fact]
    public void Remove_deletes_what_the_store_wrote_and_leaves_what_it_did_not()
    {
        using var folder = new TemporaryFolder();
        var store = new ModelStore(folder.Path);
        TestModel.WriteTo(folder.File("Tiny"));
        Directory.CreateDirectory(folder.File("Tiny/converted"));
        Directory.CreateDirectory(folder.File("Tiny/drafts"));
        string[] own = ["vocab.bpe.part", "vocab.bpe.part.journal", "converted/int8.index", $"converted/int4.index.{Guid.NewGuid():n}.tmp"];
        string[] foreign = ["notes.txt", "converted/mine.txt", "drafts/a.txt"];
        foreach (string file in own.Concat(foreign)) File.WriteAllText(folder.File($"Tiny/{file}"), "12345");
        Assert.Equal(TestModel.Catalog.DownloadSize + (5 * own.Length), store.Describe(TestModel.Catalog).SizeOnDisk);

        ModelRemoval removal = store.Remove(TestModel.Catalog);
        Assert.Equal(TestModel.Files.Count + own.Length, removal.Files.Count);
        Assert.Equal(["converted/mine.txt", "drafts", "notes.txt"], removal.Kept);
        string[] left = Directory.GetFiles(folder.File("Tiny"), "*", SearchOption.AllDirectories);
        Assert.Equal(foreign.Order(StringComparer.Ordinal), left.Select(path => Path.GetRelativePath(folder.File("Tiny"), path).Replace('\\', '/')).Order(StringComparer.Ordinal));
        Assert.True(store.PlanRemoval(TestModel.Catalog).IsEmpty);
    }

    [Fact]
    public void Only_the_folder_of_the_store_is_a_models_own()
    {
        using var folder = new TemporaryFolder();
        string own = Path.Combine(folder.Path, "124M");
        var store = new ModelStore(folder.Path);
        Directory.CreateDirectory(own);
        File.WriteAllText(Path.Combine(own, "vocab.bpe"), "");
        File.WriteAllText(Path.Combine(own, "notes.txt"), "");
        Assert.Equal("124M", store.ModelAt(own)?.Name);
        Assert.Equal("124M", store.ModelAt(own + Path.DirectorySeparatorChar)?.Name);
        Assert.Equal("124M", store.ModelAt(Path.Combine(own, "vocab.bpe"))?.Name);
        Assert.Null(store.ModelAt(Path.Combine(own, "notes.txt")));
        Assert.Null(store.ModelAt(Path.Combine(folder.Path, "elsewhere", "124M")));
        Assert.Null(store.ModelAt(folder.Path));
    }

    [Fact]
    public void Remove_refuses_what_is_being_fetched_and_what_ships()
    {
        using var folder = new TemporaryFolder();
        var store = new ModelStore(folder.Path);
        TestModel.WriteTo(folder.File("Tiny"));
        using ModelLock? owned = ModelLock.TryTake(folder.Path, "Tiny", out _);
        Assert.NotNull(owned);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => store.Remove(TestModel.Catalog));
        Assert.Equal(Gpt2Error.InUse, fault.Error);
        Assert.Contains($"process {Environment.ProcessId}", fault.Message, StringComparison.Ordinal);
        Assert.True(ModelCatalog.TryResolve("3M", out CatalogModel? model));
        Assert.Equal(Gpt2Error.InvalidArgument, Assert.Throws<Gpt2Exception>(() => store.Remove(model)).Error);
    }

    [Fact]
    public void An_open_model_is_neither_removed_nor_repaired()
    {
        using var folder = new TemporaryFolder();
        var store = new ModelStore(folder.Path);
        TestModel.WriteTo(folder.File("Tiny"));
        using (Gpt2Model open = store.Open(TestModel.Catalog))
        using (Gpt2Model second = store.Open(TestModel.Catalog))
        {
            Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => store.Remove(TestModel.Catalog));
            Assert.Equal(Gpt2Error.InUse, fault.Error);
            Assert.Contains("is open", fault.Message, StringComparison.Ordinal);
            Assert.Equal(Gpt2Error.InUse, Assert.ThrowsAny<Gpt2Exception>(Repair).Error);
        }

        store.Remove(TestModel.Catalog);
        Assert.False(Directory.Exists(folder.File("Tiny")));

        void Repair() => new ModelDownloader(store).RepairAsync(TestModel.Catalog, cancellationToken: TestContext.Current.CancellationToken).GetAwaiter().GetResult();
    }

    [Fact]
    public void A_model_that_was_dropped_is_no_longer_open()
    {
        using var folder = new TemporaryFolder();
        var store = new ModelStore(folder.Path);
        TestModel.WriteTo(folder.File("Tiny"));
        OpenAndDrop();
        store.Remove(TestModel.Catalog);
        Assert.False(Directory.Exists(folder.File("Tiny")));

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        void OpenAndDrop() => Assert.Equal("Tiny", store.Open(TestModel.Catalog).Name);
    }

    [Fact]
    public void A_file_of_another_length_is_not_the_models()
    {
        using var folder = new TemporaryFolder();
        var store = new ModelStore(folder.Path);
        TestModel.WriteTo(folder.File("Tiny"));
        File.AppendAllText(folder.File("Tiny/vocab.bpe"), "more");
        Assert.Equal(ModelState.Partial, store.Describe(TestModel.Catalog).State);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => store.Open(TestModel.Catalog));
        Assert.Equal(Gpt2Error.ModelNotCached, fault.Error);
        Assert.Contains("lacks vocab.bpe", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Memory_is_weights_cache_and_a_little()
    {
        Assert.True(ModelCatalog.TryResolve("124M", out CatalogModel? model));
        Assert.Equal(model.ParameterCount * 4, model.MemoryNeed().Weights);
        Assert.InRange(model.MemoryNeed(Gpt2Precision.Int8).Weights, model.ParameterCount, model.ParameterCount * 5 / 4);
        Assert.Equal(72L * 1024 * 1024, model.MemoryNeed().Cache);
        Assert.InRange(model.MemoryNeed().Activations, 1_000_000, 10_000_000);
        Assert.Equal(model.MemoryNeed().Total, ModelStore.Default.Describe(model).MemoryNeeded);
    }

    [Fact]
    public void Free_memory_is_more_than_none_and_no_more_than_there_is() =>
        Assert.InRange(AvailableMemory.Bytes, 1, AvailableMemory.TotalBytes);
}

using PicoGpt.Exporting;
using PicoGpt.Files;
using PicoGpt.Inference;
using PicoGpt.Store;
using PicoGpt.Tests.Store;
using Xunit;

namespace PicoGpt.Tests.Windows;

/// <summary>What is promised of files on Windows, tried there; <c>FileSystemFactsTests</c> has what can be tried elsewhere.</summary>
public sealed class WindowsFileTests : IDisposable
{
    private const string Alone = "It is about Windows' files.";

    private static readonly GenerationOptions Options = new() { MaxTokens = 3, IgnoreEndOfText = true };

    private readonly TemporaryFolder _folder;

    // Before the folder is made: what a test that is skipped here leaves, nobody takes away.
    public WindowsFileTests()
    {
        Assert.SkipUnless(OperatingSystem.IsWindows(), Alone);
        _folder = new TemporaryFolder();
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("TensorFlow")]
    [InlineData("Safetensors")]
    [InlineData("Gguf")]
    [InlineData("Npz")]
    public void An_export_over_an_open_model_replaces_it_or_says_who_keeps_it_and_loses_nothing(string format)
    {
        Export(1, format);
        using Gpt2Model open = Gpt2Model.Open(_folder.File("out"));
        string before = TextGeneration.Run(open, "a", Options).Text;
        Exception? fault = Record.Exception(() => Export(2, format));
        Assert.Equal(before, TextGeneration.Run(open, "a", Options).Text);
        if (fault is not null) AssertInUse(fault);
        ulong expected = fault is null ? 2UL : 1;
        open.Dispose();
        AssertIs(expected);
        Export(3, format); // now that it is closed
        AssertIs(3);
    }

    [Theory]
    [InlineData("model.ckpt.index")]
    [InlineData("model.ckpt.data-00000-of-00001")]
    public void A_checkpoint_of_which_another_program_has_a_file_open_is_not_replaced_by_half(string file)
    {
        Export(1, "TensorFlow");
        using (new FileStream(_folder.File($"out/{file}"), FileMode.Open, FileAccess.Read, FileShare.Read))
            AssertInUse(Record.Exception(() => Export(2, "TensorFlow")));
        AssertIs(1);
        Assert.DoesNotContain(Directory.GetFiles(_folder.File("out")), path => path.EndsWith(".tmp", StringComparison.Ordinal));
        Export(2, "TensorFlow");
        AssertIs(2);
    }

    [Theory]
    [InlineData("TensorFlow", "model.ckpt.index")]
    [InlineData("Safetensors", "model.safetensors")]
    public void A_file_that_is_marked_as_read_only_is_not_replaced(string format, string file)
    {
        Export(1, format);
        string path = _folder.File($"out/{file}");
        File.SetAttributes(path, FileAttributes.ReadOnly);
        try
        {
            Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Export(2, format));
            Assert.Equal(Gpt2Error.Unwritable, fault.Error);
            Assert.Contains("read-only", fault.Message, StringComparison.Ordinal);
            AssertIs(1);
        }
        finally
        {
            File.SetAttributes(path, FileAttributes.Normal);
        }
    }

    [Fact]
    public void Whoever_deletes_or_overwrites_the_file_of_an_open_model_is_refused_or_disturbs_nothing()
    {
        Export(1, "Safetensors");
        string path = _folder.File("out/model.safetensors");
        using Gpt2Model open = Gpt2Model.Open(_folder.File("out"));
        string before = TextGeneration.Run(open, "a", Options).Text;
        Assert.ThrowsAny<IOException>(() => File.WriteAllBytes(path, new byte[10]));
        Assert.ThrowsAny<IOException>(() => new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete));
        _ = Record.Exception(() => File.Delete(path));
        Assert.Equal(before, TextGeneration.Run(open, "a", Options).Text);
    }

    [Theory]
    [InlineData("NUL.npz")]
    [InlineData("con.npz")]
    [InlineData("COM1.npz")]
    [InlineData("LPT¹.npz")]
    [InlineData("AUX .npz")]
    public void The_name_of_a_device_is_not_written_to(string name)
    {
        using Gpt2Model model = BuiltInModel.Open();
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => ModelExport.Plan(model, _folder.File(name), "Npz").Run());
        Assert.Equal(Gpt2Error.Unwritable, fault.Error);
        Assert.Contains("device", fault.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Theory]
    [InlineData("NUL")]
    [InlineData("CON")]
    [InlineData("CONIN$")]
    public void A_device_is_not_read(string name)
    {
        foreach (string path in (string[])[name, _folder.File(name)])
            TestModel.AssertSentence(Assert.Throws<Gpt2Exception>(() => Gpt2Model.Open(path)).Message);
    }

    [Theory]
    [InlineData("C:model.ckpt", true)]
    [InlineData("Q:other.ckpt", false)]
    [InlineData("CON", false)]
    [InlineData(@"\\nowhere.invalid\share\model.ckpt", true)]
    [InlineData(@"D:\gone\model.ckpt", true)]
    public void A_checkpoint_that_is_named_elsewhere_is_looked_for_beside_the_file_that_names_it(string named, bool isFound)
    {
        Export(1, "TensorFlow");
        File.WriteAllText(_folder.File("out/checkpoint"), $"model_checkpoint_path: \"{named.Replace(@"\", @"\\", StringComparison.Ordinal)}\"\n");
        if (isFound) AssertIs(1);
        else Assert.Equal(Gpt2Error.FileNotFound, Assert.Throws<Gpt2Exception>(() => Gpt2Model.Open(_folder.File("out"))).Error);
    }

    [Theory]
    [InlineData("Safetensors")]
    [InlineData("TensorFlow")]
    public void A_model_is_not_written_over_itself_whatever_it_is_called(string format)
    {
        Export(1, format);
        string folder = _folder.File("out");
        using Gpt2Model model = Gpt2Model.Open(folder);
        List<string> names = [@"\\?\" + folder, @"\\.\" + folder, folder.ToUpperInvariant(), folder + @"\.", folder + ".", folder + @"\..\OUT\", char.ToLowerInvariant(folder[0]) + folder[1..]];
        if (OnOtherDrive(folder) is { } other) names.Add(other);
        foreach (string name in names)
        {
            Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => ModelExport.Plan(model, name, format).Run(overwrite: true));
            Assert.True(fault.Error == Gpt2Error.InvalidArgument, $"{name}: {fault.Message}");
        }

        model.Dispose();
        AssertIs(1);
    }

    [Fact]
    public void A_folder_on_another_drive_s_letter_is_the_same_folder()
    {
        Export(1, "Safetensors");
        string? other = OnOtherDrive(_folder.File("out"));
        Assert.SkipWhen(other is null, "No folder can be given another drive's letter here.");
        Assert.True(FileIdentity.AreSame(_folder.File("out/model.safetensors"), Path.Combine(other, "model.safetensors")));
    }

    [Fact]
    public void Paths_longer_than_Windows_once_took_do()
    {
        string folder = Path.Combine([_folder.Path, .. Enumerable.Repeat(new string('x', 50), 8), "out"]);
        using (Gpt2Model model = BuiltInModel.Open()) ModelExport.Plan(model, folder, "TensorFlow").Run();
        using (Gpt2Model read = Gpt2Model.Open(folder)) Assert.Equal(folder, read.Path);
        using (Gpt2Model read = Gpt2Model.Open(@"\\?\" + folder)) Assert.Equal(3, TextGeneration.Run(read, "a", Options).Ids.Count);
    }

    [Fact]
    public async Task A_download_goes_on_while_others_read_its_journal_and_list_the_models()
    {
        await using FaultyServer server = await FaultyServer.StartAsync();
        var store = new ModelStore(_folder.File("store"));
        using var stop = new CancellationTokenSource();
        string journal = _folder.File($"store/Tiny/{TestModel.Data}.part.journal");
        Task[] others =
        [
            Task.Run(() => Repeat(() => store.Describe(TestModel.Catalog)), TestContext.Current.CancellationToken),
            Task.Run(() => Repeat(() => HoldForAMoment(journal)), TestContext.Current.CancellationToken),
            Task.Run(() => Repeat(() => HoldForAMoment(journal + ".new")), TestContext.Current.CancellationToken),
        ];
        try
        {
            for (int round = 0; round < 20; round++)
            {
                await new ModelDownloader(store).FetchAsync(TestModel.Catalog, server.Options, TestContext.Current.CancellationToken);
                TestModel.AssertNothingWrong(_folder.File("store/Tiny"));
                Assert.Equal(ModelState.Cached, store.Describe(TestModel.Catalog).State);
                store.Remove(TestModel.Catalog);
            }
        }
        finally
        {
            await stop.CancelAsync();
        }

        await Task.WhenAll(others);

        void Repeat(Action action)
        {
            while (!stop.IsCancellationRequested) action();
        }
    }

    [Theory]
    [InlineData(FileAttributes.Normal, Gpt2Error.InUse, "open")]
    [InlineData(FileAttributes.ReadOnly, Gpt2Error.Unwritable, "read-only")]
    public void A_file_that_cannot_be_deleted_is_named_with_the_reason_and_the_model_stays(FileAttributes attributes, Gpt2Error error, string reason)
    {
        var store = new ModelStore(_folder.File("store"));
        string folder = store.GetFolder(TestModel.Catalog), data = Path.Combine(folder, TestModel.Data);
        TestModel.WriteTo(folder);
        File.SetAttributes(data, attributes);
        using (attributes == FileAttributes.Normal ? new FileStream(data, FileMode.Open, FileAccess.Read, FileShare.Read) : Stream.Null)
        {
            Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => store.Remove(TestModel.Catalog));
            Assert.Equal((error, data), (fault.Error, fault.Path));
            Assert.Contains(reason, fault.Message, StringComparison.Ordinal);
            TestModel.AssertSentence(fault.Message);
        }

        Assert.Equal(ModelState.Cached, store.Describe(TestModel.Catalog).State);
        File.SetAttributes(data, FileAttributes.Normal);
        store.Remove(TestModel.Catalog);
        Assert.False(Directory.Exists(folder));
    }

    [Theory]
    [InlineData(@"Q:\gone", "does not exist")]
    [InlineData("a<b", "")]
    public async Task A_cache_where_no_folder_can_be_is_told_with_its_reason(string root, string reason)
    {
        await using FaultyServer server = await FaultyServer.StartAsync();
        var store = new ModelStore(Path.Combine(_folder.Path, root));
        Gpt2Exception fault = await Assert.ThrowsAsync<Gpt2Exception>(() => new ModelDownloader(store).FetchAsync(TestModel.Catalog, server.Options, TestContext.Current.CancellationToken));
        Assert.Equal(Gpt2Error.Unwritable, fault.Error);
        Assert.Contains(reason, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(" : ", fault.Message, StringComparison.Ordinal); // as the system's words have a path
        TestModel.AssertSentence(fault.Message);
    }

    [Fact]
    public void A_cached_model_is_known_by_its_verbatim_path_and_in_any_case()
    {
        var store = new ModelStore(_folder.File("store"));
        string folder = store.GetFolder(ModelCatalog.Resolve("124M"));
        foreach (string path in (string[])[folder, @"\\?\" + folder, folder.ToUpperInvariant(), folder + @"\"])
            Assert.Equal("124M", store.ModelAt(path)?.Name);
    }

    [Fact]
    public void The_cache_lies_in_the_local_folder_of_the_user() => Assert.Equal(
        Path.Combine(Environment.GetEnvironmentVariable("LOCALAPPDATA")!, "PicoGpt"),
        FileSystemFacts.OfThisMachine.CacheFolder(Environment.GetEnvironmentVariable, Environment.GetFolderPath));

    [Fact]
    public void A_lock_is_held_by_one_and_given_back_by_the_dead()
    {
        string root = _folder.File("store");
        using (ModelLock? first = ModelLock.TryTake(root, "Tiny", out _))
        {
            Assert.NotNull(first);
            Assert.Null(ModelLock.TryTake(root, "Tiny", out string owner));
            Assert.Contains("process", owner, StringComparison.Ordinal);
        }

        using ModelLock? next = ModelLock.TryTake(root, "Tiny", out _);
        Assert.NotNull(next);
    }

    private static void AssertInUse(Exception? thrown)
    {
        Gpt2Exception fault = Assert.IsType<Gpt2Exception>(thrown);
        Assert.True(fault.Error == Gpt2Error.InUse, fault.Message);
        TestModel.AssertSentence(fault.Message);
    }

    // A virus scanner's way: it lets others read, and nothing else, and looks elsewhere in between.
    private static void HoldForAMoment(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            Thread.Sleep(3);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // it is not there, or its writer has it
        }

        Thread.Sleep(5);
    }

    private void Export(ulong seed, string format)
    {
        string source = _folder.File($"source{seed}");
        if (!Directory.Exists(source)) RandomModel.Write(source, Shapes.Small, seed);
        using Gpt2Model model = Gpt2Model.Open(source);
        ModelExport.Plan(model, _folder.File("out"), format).Run(overwrite: true);
    }

    private void AssertIs(ulong seed)
    {
        using Gpt2Model expected = Gpt2Model.Open(_folder.File($"source{seed}")), actual = Gpt2Model.Open(_folder.File("out"));
        Assert.Equal(expected.Parameters.Wpe.ToArray(), actual.Parameters.Wpe.ToArray());
    }

    // Under Wine every folder of the system below is on drive Z:; Windows itself gives a folder a letter by "subst", for whoever may.
    private static string? OnOtherDrive(string folder)
    {
        if (Environment.GetEnvironmentVariable("WINEPREFIX") is not { } prefix) return null;
        string other = $@"Z:{prefix.Replace('/', '\\')}\drive_{char.ToLowerInvariant(folder[0])}{folder[2..]}";
        return Directory.Exists(other) ? other : null;
    }
}

using PicoGpt.Store;
using Xunit;

namespace PicoGpt.Tests.Store;

public sealed class ModelDownloaderTests
{
    [Fact]
    public async Task A_model_that_is_here_is_not_asked_for_again()
    {
        await using FaultyServer server = await FaultyServer.StartAsync();
        using var root = new TemporaryFolder();
        var downloader = new ModelDownloader(new ModelStore(root.Path));
        await downloader.FetchAsync(TestModel.Catalog, server.Options);
        Assert.Equal(TestModel.Files[TestModel.Data].Length, server.Sent(TestModel.Data));
        int requests = server.Requests(TestModel.Data);
        await downloader.FetchAsync(TestModel.Catalog, server.Options with { Offline = true });
        Assert.Equal(requests, server.Requests(TestModel.Data));
        await downloader.FetchAsync(TestModel.Catalog, server.Options with { Force = true });
        Assert.Equal(2 * requests, server.Requests(TestModel.Data));
        TestModel.AssertWhole(root.File("Tiny"));
    }

    [Fact]
    public async Task Only_the_files_that_are_asked_for_are_fetched()
    {
        await using FaultyServer server = await FaultyServer.StartAsync();
        using var root = new TemporaryFolder();
        var downloader = new ModelDownloader(new ModelStore(root.Path));
        DownloadOptions options = server.Options with { Files = [TestModel.Encoder, "vocab.bpe"] };
        Assert.Equal(TestModel.Files[TestModel.Encoder].Length + TestModel.Files["vocab.bpe"].Length, downloader.Plan(TestModel.Catalog, options).Bytes);
        await downloader.FetchAsync(TestModel.Catalog, options);
        Assert.Equal(2, Directory.GetFiles(root.File("Tiny")).Length);
        Assert.Equal(0, server.Requests(TestModel.Data));
        Gpt2Exception fault = await Assert.ThrowsAsync<Gpt2Exception>(
            () => downloader.FetchAsync(TestModel.Catalog, options with { Files = ["model.bin"] }));
        Assert.Contains("'model.bin'", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_second_source_helps_and_what_the_first_gave_is_kept()
    {
        await using FaultyServer first = await FaultyServer.StartAsync(
            request => request.File == TestModel.Data && request.Number > 3 ? new FaultyAnswer { Status = 404 } : null);
        await using FaultyServer second = await FaultyServer.StartAsync();
        using var root = new TemporaryFolder();
        await TestModel.FetchAsync(root, TestModel.Options($"{first.Address};{second.Address}"));
        TestModel.AssertWhole(root.File("Tiny"));
        Assert.Equal(TestModel.Files[TestModel.Data].Length - (4 * TestModel.Chunk), second.Sent(TestModel.Data));
    }

    [Fact]
    public async Task Without_retries_a_fault_is_the_sources_last_word()
    {
        await using FaultyServer server = await FaultyServer.StartAsync(request => request.File == TestModel.Data ? new FaultyAnswer { Status = 500, Body = [] } : null);
        using var root = new TemporaryFolder();
        DownloadOptions options = server.Options with { Retries = 0 };
        Gpt2Exception fault = await Assert.ThrowsAsync<Gpt2Exception>(() => TestModel.FetchAsync(root, options));
        Assert.Contains("answered 500", fault.Message, StringComparison.Ordinal);
        Assert.Equal(1, server.Requests(TestModel.Data));
        foreach (DownloadOptions wrong in (DownloadOptions[])[options with { Retries = -1 }, options with { RetryDelay = TimeSpan.FromDays(2) }, options with { ChunkSize = 0 }])
        {
            Gpt2Exception refused = await Assert.ThrowsAsync<Gpt2Exception>(() => TestModel.FetchAsync(root, wrong));
            Assert.Equal(Gpt2Error.InvalidArgument, refused.Error);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_file_of_unknown_size_that_is_without_end_leaves_nothing(bool tellsLength)
    {
        var endless = new FaultyAnswer { IgnoreRange = true, HideLength = !tellsLength, Body = new byte[200_000] };
        await using FaultyServer server = await FaultyServer.StartAsync(request => request.File == TestModel.HParams ? endless : null);
        using var root = new TemporaryFolder();
        DownloadOptions options = TestModel.Options(server.Address) with { MaxUnknownSize = 100_000, Files = [TestModel.HParams] };
        Gpt2Exception fault = await Assert.ThrowsAsync<Gpt2Exception>(() => new ModelDownloader(new ModelStore(root.Path)).FetchAsync(TestModel.Unknown, options));
        Assert.Contains("more than 100,000 bytes", fault.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(root.File("Tiny")));
    }

    [Fact]
    public async Task A_pipe_in_a_source_folder_is_refused_and_not_waited_for()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no pipes in folders.");
        using var root = new TemporaryFolder();
        using var source = new TemporaryFolder();
        TestModel.WriteTo(source.File("Tiny"));
        string pipe = Path.Combine(source.File("Tiny"), TestModel.HParams);
        File.Delete(pipe);
        using (var made = System.Diagnostics.Process.Start("mkfifo", [pipe])) await made.WaitForExitAsync();
        Gpt2Exception fault = await Assert.ThrowsAsync<Gpt2Exception>(
            () => TestModel.FetchAsync(root, TestModel.Options(source.Path)));
        Assert.Contains("not a file but a pipe", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sources_that_all_fail_are_all_named()
    {
        await using FaultyServer server = await FaultyServer.StartAsync(_ => new FaultyAnswer { Status = 403, Body = [] });
        using var root = new TemporaryFolder();
        string gone;
        await using (FaultyServer other = await FaultyServer.StartAsync()) gone = other.Address;
        Gpt2Exception fault = await Assert.ThrowsAsync<Gpt2Exception>(() => TestModel.FetchAsync(root, TestModel.Options($"{server.Address};{gone};file:///nowhere")));
        Assert.Equal(Gpt2Error.DownloadFailed, fault.Error);
        Assert.Contains("answered 403", fault.Message, StringComparison.Ordinal);
        Assert.Contains($"{gone}Tiny/checkpoint cannot be reached", fault.Message, StringComparison.Ordinal);
        Assert.Contains("does not exist", fault.Message, StringComparison.Ordinal);
        TestModel.AssertSentence(fault.Message);
    }

    [Fact]
    public async Task A_folder_is_a_source_even_offline()
    {
        using var root = new TemporaryFolder();
        using var source = new TemporaryFolder();
        TestModel.WriteTo(source.File("Tiny"));
        DownloadOptions options = TestModel.Options(new Uri(source.Path).AbsoluteUri) with { Offline = true };
        await TestModel.FetchAsync(root, options);
        TestModel.AssertWhole(root.File("Tiny"));
    }

    [Fact]
    public async Task Offline_says_what_is_missing()
    {
        await using FaultyServer server = await FaultyServer.StartAsync();
        using var root = new TemporaryFolder();
        Gpt2Exception fault = await Assert.ThrowsAsync<Gpt2Exception>(() => TestModel.FetchAsync(root, server.Options with { Offline = true }));
        Assert.Equal(Gpt2Error.Offline, fault.Error);
        Assert.Contains(TestModel.Data, fault.Message, StringComparison.Ordinal);
        Assert.Equal(0, server.Requests(TestModel.HParams));
    }

    [Fact]
    public async Task A_full_disk_is_told_before_the_first_byte()
    {
        await using FaultyServer server = await FaultyServer.StartAsync();
        using var root = new TemporaryFolder();
        Gpt2Exception fault = await Assert.ThrowsAsync<Gpt2Exception>(() => TestModel.FetchAsync(root, server.Options with { FreeSpace = _ => TestModel.Catalog.DownloadSize - 1 }));
        Assert.Equal(Gpt2Error.DiskFull, fault.Error);
        Assert.Equal(0, server.Requests(TestModel.HParams));
    }

    [Fact]
    public async Task A_folder_that_cannot_be_made_is_named()
    {
        using var root = new TemporaryFolder();
        File.WriteAllText(root.File("file"), "");
        Gpt2Exception fault = await Assert.ThrowsAsync<Gpt2Exception>(() => new ModelDownloader(new ModelStore(root.File("file")))
            .FetchAsync(TestModel.Catalog, TestModel.Options("http://127.0.0.1:1")));
        Assert.Equal(Gpt2Error.Unwritable, fault.Error);
        TestModel.AssertSentence(fault.Message);
    }

    [Fact]
    public async Task Cancelling_leaves_no_connection_and_keeps_what_arrived()
    {
        await using FaultyServer server = await FaultyServer.StartAsync(
            request => request.File == TestModel.Data && request.Start > 100_000 ? new FaultyAnswer { StallAfter = 100 } : null);
        using var root = new TemporaryFolder();
        var store = new ModelStore(root.Path);
        var downloader = new ModelDownloader(store);
        using var cancel = new CancellationTokenSource();
        DownloadOptions options = server.Options with { StallTimeout = TimeSpan.FromMinutes(5) };
        Task fetch = downloader.FetchAsync(TestModel.Catalog, options, cancel.Token);
        await Eventually.Is(() => downloader.Progress is { File: TestModel.Data, FileBytes: > 100_000 });
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fetch);
        await Eventually.Is(() => server.Connections == 0);
        Assert.Equal(DownloadState.Idle, downloader.Progress.State);

        ModelInfo info = store.Describe(TestModel.Catalog);
        Assert.Equal(ModelState.Partial, info.State);
        Assert.InRange(info.Percent, 30, 60);
        long sent = server.Sent(TestModel.Data);
        server.Script = _ => null;
        await downloader.FetchAsync(TestModel.Catalog, options);
        TestModel.AssertWhole(root.File("Tiny"));
        Assert.InRange(server.Sent(TestModel.Data), sent, TestModel.Files[TestModel.Data].Length + (TestModel.Connections * 100));
    }

    [Fact]
    public async Task A_file_that_changed_between_two_attempts_starts_over()
    {
        await using FaultyServer server = await FaultyServer.StartAsync(request =>
            request.File != TestModel.Data ? null : request.Number < 5 ? new FaultyAnswer { Headers = { ["ETag"] = "\"old\"" } } : new FaultyAnswer { Status = 404 });
        server.Files = TestModel.Files.ToDictionary(file => file.Key, file => file.Key == TestModel.Data ? TestModel.OtherFiles[file.Key] : file.Value);
        using var root = new TemporaryFolder();
        var downloader = new ModelDownloader(new ModelStore(root.Path));
        await Assert.ThrowsAsync<Gpt2Exception>(() => downloader.FetchAsync(TestModel.Catalog, server.Options));
        Assert.True(downloader.Plan(TestModel.Catalog).Bytes < TestModel.Files[TestModel.Data].Length);
        server.Script = _ => null;
        server.Files = TestModel.Files;
        long before = server.Sent(TestModel.Data);
        int requests = server.Requests(TestModel.Data);
        await downloader.FetchAsync(TestModel.Catalog, server.Options);
        TestModel.AssertWhole(root.File("Tiny"));
        Assert.True(server.Sent(TestModel.Data) - before >= TestModel.Files[TestModel.Data].Length);
        Assert.True(server.Requests(TestModel.Data) - requests > TestModel.Files[TestModel.Data].Length / TestModel.Chunk, "it was not fetched in ranges");
    }

    [Fact]
    public async Task A_waiter_says_for_whom_and_can_be_cancelled()
    {
        using var root = new TemporaryFolder();
        using ModelLock? owned = ModelLock.TryTake(root.Path, "Tiny", out _);
        Assert.NotNull(owned);
        using var cancel = new CancellationTokenSource();
        var downloader = new ModelDownloader(new ModelStore(root.Path));
        Task fetch = downloader.FetchAsync(TestModel.Catalog, TestModel.Options("http://127.0.0.1:1"), cancel.Token);
        await Eventually.Is(() => downloader.Progress.State == DownloadState.Waiting);
        Assert.Contains($"process {Environment.ProcessId} on {Environment.MachineName}", downloader.Progress.Detail, StringComparison.Ordinal);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fetch);
    }

    [Fact]
    public async Task Repair_fetches_only_the_tensors_that_are_broken()
    {
        await using FaultyServer server = await FaultyServer.StartAsync();
        using var root = new TemporaryFolder();
        var downloader = new ModelDownloader(new ModelStore(root.Path));
        await downloader.FetchAsync(TestModel.Catalog, server.Options);
        string path = Path.Combine(root.File("Tiny"), TestModel.Data);
        byte[] bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 1;
        File.WriteAllBytes(path, bytes);
        File.WriteAllText(Path.Combine(root.File("Tiny"), TestModel.HParams), "{}");
        long before = server.Sent(TestModel.Data);
        await downloader.RepairAsync(TestModel.Catalog, server.Options);
        TestModel.AssertWhole(root.File("Tiny"));
        Assert.InRange(server.Sent(TestModel.Data) - before, 1, bytes.Length / 2);
    }

    [Fact]
    public async Task Repair_completes_a_truncated_file()
    {
        await using FaultyServer server = await FaultyServer.StartAsync();
        using var root = new TemporaryFolder();
        var downloader = new ModelDownloader(new ModelStore(root.Path));
        await downloader.FetchAsync(TestModel.Catalog, server.Options);
        string path = Path.Combine(root.File("Tiny"), TestModel.Data);
        File.WriteAllBytes(path, TestModel.Files[TestModel.Data][..^1000]);
        long before = server.Sent(TestModel.Data);
        await downloader.RepairAsync(TestModel.Catalog, server.Options);
        TestModel.AssertWhole(root.File("Tiny"));
        Assert.InRange(server.Sent(TestModel.Data) - before, 1000, TestModel.Files[TestModel.Data].Length / 2);
    }

    [Fact]
    public async Task Bytes_of_unknown_origin_are_not_built_upon()
    {
        await using FaultyServer server = await FaultyServer.StartAsync();
        using var root = new TemporaryFolder();
        Directory.CreateDirectory(root.File("Tiny"));
        foreach ((string name, byte[] bytes) in TestModel.Files) File.WriteAllBytes(root.File($"Tiny/{name}.part"), new byte[bytes.Length + 100]);
        File.WriteAllText(root.File($"Tiny/{TestModel.HParams}.part.journal"), "picogpt download 1\nsource x\n");
        await new ModelDownloader(new ModelStore(root.Path)).FetchAsync(TestModel.Unknown, server.Options);
        TestModel.AssertWhole(root.File("Tiny"));
    }

    [Fact]
    public async Task A_file_of_unknown_size_that_is_absurdly_long_is_refused()
    {
        using var source = new TemporaryFolder();
        using var root = new TemporaryFolder();
        Directory.CreateDirectory(source.File("Tiny"));
        using (FileStream sparse = File.Create(Path.Combine(source.Path, "Tiny", TestModel.Index))) sparse.SetLength(1L << 40);
        DownloadOptions options = TestModel.Options(source.Path) with { Files = [TestModel.Index], FreeSpace = _ => long.MaxValue };
        Gpt2Exception fault = await Assert.ThrowsAsync<Gpt2Exception>(() => new ModelDownloader(new ModelStore(root.Path)).FetchAsync(TestModel.Unknown, options));
        Assert.Contains("has more than 1,073,741,824 bytes", fault.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(root.File("Tiny")));
    }
}

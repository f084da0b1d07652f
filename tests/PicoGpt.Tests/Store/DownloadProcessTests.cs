using System.Diagnostics;
using Xunit;

namespace PicoGpt.Tests.Store;

public sealed class DownloadProcessTests
{
    [Fact]
    public async Task A_killed_process_is_resumed_and_fetches_at_most_a_chunk_a_connection_twice()
    {
        const int Kills = 4;
        await using FaultyServer server = await FaultyServer.StartAsync();
        server.Delay = TimeSpan.FromMilliseconds(50);
        using var root = new TemporaryFolder();
        var random = new Random(1);
        for (int i = 0; i < Kills; i++)
        {
            using Process child = ChildDownload.Start(root.Path, TestModel.Catalog, server.Address);
            int requests = server.Requests(TestModel.Data) + random.Next(1, 6);
            await Eventually.Is(() => server.Requests(TestModel.Data) >= requests || child.HasExited);
            child.Kill();
            await child.WaitForExitAsync();
            TestModel.AssertNothingWrong(root.File("Tiny"));
        }

        await TestModel.FetchAsync(root, server.Options);
        TestModel.AssertWhole(root.File("Tiny"));
        Assert.InRange(
            server.Sent(TestModel.Data),
            TestModel.Files[TestModel.Data].Length,
            TestModel.Files[TestModel.Data].Length + (Kills * TestModel.Connections * TestModel.Chunk));
    }

    [Fact]
    public async Task Four_processes_share_one_download()
    {
        await using FaultyServer server = await FaultyServer.StartAsync();
        server.Delay = TimeSpan.FromMilliseconds(100);
        using var root = new TemporaryFolder();
        Process[] children = [.. Enumerable.Range(0, 4).Select(_ => ChildDownload.Start(root.Path, TestModel.Catalog, server.Address))];
        foreach (Process child in children)
        {
            await child.WaitForExitAsync();
            Assert.True(child.ExitCode == 0, await child.StandardError.ReadToEndAsync());
            child.Dispose();
        }

        TestModel.AssertWhole(root.File("Tiny"));
        Assert.All(TestModel.Files, file => Assert.Equal(file.Value.Length, server.Sent(file.Key)));
    }
}

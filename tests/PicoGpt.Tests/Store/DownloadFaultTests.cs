using PicoGpt.Store;
using Xunit;

namespace PicoGpt.Tests.Store;

public sealed class DownloadFaultTests
{
    public static TheoryData<string> Cases => [.. FaultCases.All.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_fault_ends_in_a_verified_model_or_in_one_sentence(string name)
    {
        FaultCase fault = FaultCases.All[name];
        CatalogModel model = fault.Model ?? TestModel.Catalog;
        await using FaultyServer server = await FaultyServer.StartAsync(fault.Script);
        using var root = new TemporaryFolder();
        DownloadOptions options = server.Options;
        if (fault.IsSilent) options = options with { StallTimeout = TimeSpan.FromSeconds(0.5) };
        if (fault.IsSlow) options = options with { Clock = new HastyClock(options.StallTimeout * 0.75), MinimumRate = 10, Connections = 1 };
        Task fetch = new ModelDownloader(new ModelStore(root.Path)).FetchAsync(model, options);
        if (fault.Sentence is null)
        {
            await fetch;
            TestModel.AssertWhole(root.File("Tiny"));
            return;
        }

        Gpt2Exception thrown = await Assert.ThrowsAsync<Gpt2Exception>(() => fetch);
        Assert.Contains(fault.Sentence, thrown.Message, StringComparison.Ordinal);
        TestModel.AssertSentence(thrown.Message);
        TestModel.AssertNothingWrong(root.File("Tiny"));

        // Whatever was left behind does not stand in the way of a good server.
        server.Script = _ => null;
        await new ModelDownloader(new ModelStore(root.Path)).FetchAsync(model, server.Options);
        TestModel.AssertWhole(root.File("Tiny"));
    }
}

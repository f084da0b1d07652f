using PicoGpt.Store;
using Xunit;

namespace PicoGpt.Tests.Store;

public sealed class RandomFaultTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Random_faults_never_make_a_wrong_file(int quarter)
    {
        for (int seed = quarter * 50; seed < (quarter + 1) * 50; seed++)
        {
            var faults = new RandomFaults(seed);
            await using FaultyServer server = await FaultyServer.StartAsync(faults.Next);
            using var root = new TemporaryFolder();
            var store = new ModelStore(root.Path);
            DownloadOptions options = server.Options with { StallTimeout = TimeSpan.FromMilliseconds(100) };
            try
            {
                await new ModelDownloader(store).FetchAsync(faults.Model, options);
            }
            catch (Gpt2Exception fault)
            {
                TestModel.AssertSentence(fault.Message);
                TestModel.AssertNothingWrong(store.GetFolder(faults.Model));
                server.Script = _ => null;
                await new ModelDownloader(store).FetchAsync(faults.Model, server.Options);
            }

            TestModel.AssertWhole(store.GetFolder(faults.Model));
        }
    }
}

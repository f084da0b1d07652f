using System.Diagnostics;
using System.Text.Json;
using PicoGpt.Store;

namespace PicoGpt.Tests.Store;

/// <summary>A download in a process of its own.</summary>
internal static class ChildDownload
{
    public const string Verb = "download";

    public static Process Start(string root, CatalogModel model, string source)
    {
        string catalog = Path.Combine(root, $"{Guid.NewGuid()}.json");
        File.WriteAllText(catalog, JsonSerializer.Serialize(model));
        return ChildProcess.Start(Verb, root, catalog, source);
    }

    public static async Task<int> RunAsync(string[] args)
    {
        CatalogModel model = JsonSerializer.Deserialize<CatalogModel>(File.ReadAllText(args[2]))!;
        var store = new ModelStore(args[1]);
        await new ModelDownloader(store).FetchAsync(model, TestModel.Options(args[3]));
        using Gpt2Model open = store.Open(model);
        return 0;
    }
}

using System.Security.Cryptography;
using PicoGpt.Architecture;
using PicoGpt.Store;
using Xunit;

namespace PicoGpt.Tests.Store;

/// <summary>A model of 300 kB to be fetched in chunks of 16 KiB.</summary>
internal static class TestModel
{
    public const string Data = "model.ckpt.data-00000-of-00001";
    public const string Index = "model.ckpt.index";
    public const string Encoder = "encoder.json";
    public const string HParams = "hparams.json";
    public const int Chunk = 16 * 1024;
    public const int Connections = 4;

    private static readonly Gpt2HyperParameters Shape = Shapes.Small with { NLayer = 1 };

    public static IReadOnlyDictionary<string, byte[]> Files { get; } = Write(1);

    /// <summary>Another model of the same shape.</summary>
    public static IReadOnlyDictionary<string, byte[]> OtherFiles { get; } = Write(2);

    public static CatalogModel Catalog { get; } = Describe(Files, withHash: true, withSize: true);

    /// <summary>The same with less known of it.</summary>
    public static CatalogModel WithoutHashes { get; } = Describe(Files, withHash: false, withSize: true);

    /// <summary>The same with nothing known of it.</summary>
    public static CatalogModel Unknown { get; } = Describe(Files, withHash: false, withSize: false);

    public static DownloadOptions Options(string sources) => new()
    {
        Sources = ModelSource.ParseList(sources),
        ChunkSize = Chunk,
        Connections = Connections,
        Retries = 3,
        RetryDelay = TimeSpan.FromMilliseconds(2),
        MaxRetryDelay = TimeSpan.FromMilliseconds(20),
        StallTimeout = TimeSpan.FromMinutes(1), // a busy machine is not to look like a silent server
        Offline = false,
    };

    /// <summary>Writes the model's files into a folder, as if they had been fetched.</summary>
    public static void WriteTo(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach ((string name, byte[] bytes) in Files) File.WriteAllBytes(Path.Combine(folder, name), bytes);
    }

    /// <summary>Fetches the model into a store of its own.</summary>
    public static Task FetchAsync(TemporaryFolder root, DownloadOptions options, CancellationToken cancellationToken = default) =>
        new ModelDownloader(new ModelStore(root.Path)).FetchAsync(Catalog, options, cancellationToken);

    /// <summary>Asserts that the model is there, whole, and nothing else.</summary>
    public static void AssertWhole(string folder)
    {
        AssertNothingWrong(folder);
        Assert.Equal(Files.Keys.Order(StringComparer.Ordinal), Directory.EnumerateFiles(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    /// <summary>Asserts that no file bears a name that is not its own.</summary>
    public static void AssertNothingWrong(string folder)
    {
        foreach ((string name, byte[] bytes) in Files)
        {
            string path = Path.Combine(folder, name);
            if (File.Exists(path)) Assert.True(File.ReadAllBytes(path).AsSpan().SequenceEqual(bytes), $"{name} is not what it is called");
        }
    }

    /// <summary>Asserts that a message is one that a user can read.</summary>
    public static void AssertSentence(string message)
    {
        Assert.EndsWith(".", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
        Assert.DoesNotContain("Exception", message, StringComparison.Ordinal);
    }

    private static Dictionary<string, byte[]> Write(ulong seed)
    {
        using TemporaryFolder folder = RandomModel.InFolder(Shape, seed);
        return Directory.EnumerateFiles(folder.Path).ToDictionary(file => Path.GetFileName(file), File.ReadAllBytes, StringComparer.Ordinal);
    }

    private static CatalogModel Describe(IReadOnlyDictionary<string, byte[]> files, bool withHash, bool withSize) => new(
        "Tiny",
        [],
        Shape,
        [
            .. files.OrderBy(file => file.Value.Length).Select(file => new CatalogFile(
                file.Key, withSize ? file.Value.Length : null, withHash ? Convert.ToHexStringLower(SHA256.HashData(file.Value)) : null)),
        ]);
}

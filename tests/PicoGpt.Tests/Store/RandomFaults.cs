using PicoGpt.Store;

namespace PicoGpt.Tests.Store;

/// <summary>A server that misbehaves at random, the same way for the same seed and order of requests.</summary>
internal sealed class RandomFaults(int seed)
{
    private readonly Lock _lock = new();
    private readonly Random _random = new(seed);
    private readonly double _rate = (seed % 5) * 0.12;

    public CatalogModel Model { get; } = (seed % 3) switch { 0 => TestModel.Catalog, 1 => TestModel.WithoutHashes, _ => TestModel.Unknown };

    public FaultyAnswer? Next(FaultyRequest request)
    {
        lock (_lock)
        {
            if (_random.NextDouble() >= _rate) return null;
            return _random.Next(11) switch
            {
                0 => new FaultyAnswer { Status = 503, Body = [] },
                1 => new FaultyAnswer { Status = 429, Body = [], Headers = { ["Retry-After"] = "1" } },
                2 => new FaultyAnswer { Status = 404, Body = "<html>gone</html>"u8.ToArray() },
                3 => new FaultyAnswer { StallAfter = _random.Next(-1, 3000) },
                4 => new FaultyAnswer { IgnoreRange = true },
                5 => new FaultyAnswer { IgnoreRange = true, HideLength = true },
                6 => new FaultyAnswer { Headers = { ["ETag"] = "\"v2\"" } },
                7 when request.File.StartsWith("model.ckpt", StringComparison.Ordinal) => new FaultyAnswer { CorruptAt = _random.Next(TestModel.Files[request.File].Length) },
                8 => new FaultyAnswer { Body = "<html><body>welcome to the airport</body></html>"u8.ToArray() },
                _ => new FaultyAnswer { CutAfter = _random.Next(TestModel.Chunk) },
            };
        }
    }
}

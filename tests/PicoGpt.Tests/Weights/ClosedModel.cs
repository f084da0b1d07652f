using System.Globalization;
using PicoGpt.Checkpoints.TensorFlow;

namespace PicoGpt.Tests.Weights;

/// <summary>Reads a model in one thread while another closes it; also as a process of its own, which may die of it.</summary>
internal static class ClosedModel
{
    public const string Verb = "close";

    private const int Threads = 2;

    public static int Run(string[] args)
    {
        int rounds = int.Parse(args[1], CultureInfo.InvariantCulture), seed = int.Parse(args[2], CultureInfo.InvariantCulture), runs = 0;
        foreach (string reader in (string[])[.. MemoryReaders.OfModel.Keys, .. MemoryReaders.OfBundle.Keys])
        {
            Try(reader, rounds, seed);
            runs += rounds;
        }

        Console.WriteLine($"{runs} runs");
        return 0;
    }

    /// <summary>Does something with models that are closed at random moments meanwhile.</summary>
    public static void Try(string reader, int rounds, int seed)
    {
        if (MemoryReaders.OfModel.TryGetValue(reader, out Func<Gpt2Model, string>? ofModel)) Try(BuiltInModel.Open, ofModel, rounds, seed);
        else Try(() => TensorBundle.Open(BuiltInModel.Folder), MemoryReaders.OfBundle[reader], rounds, seed);
    }

    private static void Try<T>(Func<T> open, Func<T, string> read, int rounds, int seed)
        where T : IDisposable
    {
        string expected;
        using (T whole = open()) expected = read(whole);
        var random = new Random(seed);
        for (int round = 0; round < rounds; round++)
        {
            T shared = open();
            using var start = new Barrier(Threads + 1);
            Task<string?>[] readers = [.. Enumerable.Range(0, Threads).Select(_ => Task.Factory.StartNew(
                () =>
                {
                    start.SignalAndWait();
                    return ReadOrRefuse(shared, read);
                },
                CancellationToken.None,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default))];
            start.SignalAndWait();
            Thread.SpinWait(1 << random.Next(20));
            shared.Dispose();
            foreach (Task<string?> reader in readers)
            {
                if (reader.Result is { } result && result != expected)
                    throw new InvalidOperationException($"In round {round} of seed {seed} {result} was read, where {expected} is right.");
            }
        }
    }

    // A loop of Parallel, or of a query, hides what ended it in a fault of its own.
    private static string? ReadOrRefuse<T>(T shared, Func<T, string> read)
    {
        try
        {
            return read(shared);
        }
        catch (ObjectDisposedException)
        {
            return null;
        }
        catch (AggregateException faults) when (faults.Flatten().InnerExceptions.All(fault => fault is ObjectDisposedException))
        {
            return null;
        }
    }
}

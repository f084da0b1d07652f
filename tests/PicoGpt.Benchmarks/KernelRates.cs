using System.Diagnostics;
using PicoGpt.Inference;
using PicoGpt.Numerics;

namespace PicoGpt.Benchmarks;

/// <summary>
/// What the projections' loops take of weights, in bytes a second: of weights that the second-level caches hold, which is the limit
/// that the loops have of their own whatever memory gives, and of weights that come from memory.
/// </summary>
internal static unsafe class KernelRates
{
    private const int Inner = 768;
    private const int CachedOuter = 512;
    private const int Outer = 3072;
    private const int Matrices = 40; // more than any cache holds
    private static readonly int[] Rows = [1, 2, 4, 8, 16, 32];

    public static void Measure(Gpt2Precision precision, int threads, Dictionary<string, double> figures)
    {
        using var pool = new WorkerPool(threads);
        foreach (int rows in Rows) figures[$"{rows} rows by cached weights, GB/s"] = Rate(pool, precision, rows, CachedOuter, matrices: 1) / 1e9;
        foreach (int rows in Rows) figures[$"{rows} rows by weights in memory, GB/s"] = Rate(pool, precision, rows, Outer, Matrices) / 1e9;
    }

    // bytes of weights a second
    private static double Rate(WorkerPool pool, Gpt2Precision precision, int rows, int columns, int matrices)
    {
        bool isPlain = precision == Gpt2Precision.Float32;
        long size = isPlain ? (long)Inner * columns * sizeof(float) : PackedMatrix.SizeOf(precision, Inner, columns);
        using var x = new AlignedBuffer(rows * Inner);
        using var w = new AlignedBuffer(matrices * size / sizeof(float));
        using var y = new AlignedBuffer(rows * columns);
        new Span<float>(w.Data, checked((int)w.Length)).Clear(); // touches the pages
        var job = new ProjectionJob(Kernels.Best, ActivationFunction.Of(Gpt2Activation.GeluTanh))
        {
            X = new Matrix(x.Data, rows, Inner),
            Y = new Matrix(y.Data, rows, columns),
        };
        byte* first = (byte*)w.Data;
        return size * TimesPerSecond(matrices, matrix =>
        {
            byte* data = first + (matrix * size);
            job.W = isPlain ? new PinnedWeight(new Matrix((float*)data, Inner, columns)) : new PinnedWeight(new PackedMatrix(data, precision, Inner, columns));
            pool.Run(job);
        });
    }

    private static double TimesPerSecond(int matrices, Action<int> run)
    {
        const int Repeats = 7, MinRuns = 150;
        for (int i = 0; i < matrices; i++) run(i);
        int times = matrices > 1 ? matrices : MinRuns;
        List<double> seconds = [];
        for (int repeat = 0; repeat < Repeats; repeat++)
        {
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < times; i++) run(i % matrices);
            seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds / times);
        }

        seconds.Sort();
        return 1 / seconds[Repeats / 2];
    }
}

using System.Diagnostics;
using PicoGpt.Inference;
using PicoGpt.Machine;
using PicoGpt.Numerics;

namespace PicoGpt.Benchmarks;

/// <summary>
/// What the projections' loops take of weights, in bytes a second: of weights that the second-level caches hold, which is the limit
/// that the loops have of their own whatever memory gives, of weights that come from memory as files are mapped, and of weights in large
/// pages, where those of float32 lie in panels. Last what the logits' loop takes of the embedding.
/// </summary>
internal static unsafe class KernelRates
{
    private const int Inner = 768;
    private const int CachedOuter = 512;
    private const int Outer = 3072;
    private const int Matrices = 40; // more than any cache holds
    private const int Vocabulary = 50257;
    private static readonly int[] Rows = [1, 2, 4, 8, 16, 32, 64, 256];

    public static void Measure(Gpt2Precision precision, int threads, Dictionary<string, double> figures)
    {
        using var pool = new WorkerPool(threads);
        bool isPlain = precision == Gpt2Precision.Float32;
        using var usual = new AlignedBuffer(Matrices * SizeOf(precision, isPlain, Outer) / sizeof(float));
        using var large = new LargePages(Matrices * SizeOf(precision, isPlain: false, Outer));
        new Span<float>(usual.Data, checked((int)usual.Length)).Clear(); // touches the pages
        new Span<byte>(large.Data, checked((int)large.Length)).Clear();
        foreach (int rows in Rows) figures[$"{rows} rows by cached weights, GB/s"] = Rate(pool, precision, isPlain, rows, CachedOuter, 1, (byte*)usual.Data) / 1e9;
        foreach (int rows in Rows) figures[$"{rows} rows by cached panels, GB/s"] = Rate(pool, precision, isPlain: false, rows, CachedOuter, 1, large.Data) / 1e9;
        foreach (int rows in Rows)
        {
            figures[$"{rows} rows by weights in memory, GB/s"] = Rate(pool, precision, isPlain, rows, Outer, Matrices, (byte*)usual.Data) / 1e9;
            if (isPlain) figures[$"{rows} rows by panels in memory, GB/s"] = Rate(pool, precision, isPlain: false, rows, Outer, Matrices, (byte*)usual.Data) / 1e9;
            figures[$"{rows} rows by large pages, GB/s"] = Rate(pool, precision, isPlain: false, rows, Outer, Matrices, large.Data) / 1e9;
        }

        if (!isPlain) return;
        foreach (int rows in Rows.TakeWhile(rows => rows <= 32))
        {
            figures[$"{rows} rows of logits, GB/s"] = LogitsRate(pool, rows, (float*)usual.Data) / 1e9;
            figures[$"{rows} rows of logits by large pages, GB/s"] = LogitsRate(pool, rows, (float*)large.Data) / 1e9;
        }
    }

    private static long SizeOf(Gpt2Precision precision, bool isPlain, int columns) =>
        isPlain ? (long)Inner * columns * sizeof(float) : PackedMatrix.SizeOf(PackedFormat.Of(precision), Inner, columns);

    // bytes of weights a second
    private static double Rate(WorkerPool pool, Gpt2Precision precision, bool isPlain, int rows, int columns, int matrices, byte* first)
    {
        long size = SizeOf(precision, isPlain, columns);
        using var x = new AlignedBuffer(rows * Inner);
        using var y = new AlignedBuffer(rows * columns);
        PackedFormat format = PackedFormat.Of(precision);
        var quantized = format as QuantizedFormat;
        using var integers = new AlignedBuffer(quantized is null ? 0 : Math.Max(rows, pool.Threads) * Kernels.Padded(QuantizedMatrix.LengthOf(Inner, quantized)));
        var job = new ProjectionJob(Kernels.Best, ActivationFunction.Of(Gpt2Activation.GeluTanh))
        {
            X = new Matrix(x.Data, rows, Inner),
            Y = new Matrix(y.Data, rows, columns),
            Quantized = quantized is null ? default : new QuantizedMatrix(integers.Data, rows, Inner, quantized),
        };
        if (quantized is not null) Kernels.Best.Quantize(job.X, job.Quantized, 0, rows);
        return size * TimesPerSecond(matrices, rows, matrix =>
        {
            byte* data = first + (matrix * size);
            job.W = isPlain ? new PinnedWeight(new Matrix((float*)data, Inner, columns)) : new PinnedWeight(new PackedMatrix(data, format, Inner, columns));
            pool.Run(job);
        });
    }

    private static double LogitsRate(WorkerPool pool, int rows, float* embedding)
    {
        using var x = new AlignedBuffer(rows * Inner);
        using var y = new AlignedBuffer(rows * Vocabulary);
        var job = new LogitsJob(Kernels.Best)
        {
            X = new Matrix(x.Data, rows, Inner),
            W = new PinnedWeight(new Matrix(embedding, Vocabulary, Inner)),
            Y = new Matrix(y.Data, rows, Vocabulary),
        };
        return (long)Vocabulary * Inner * sizeof(float) * TimesPerSecond(matrices: 2, rows, _ => pool.Run(job));
    }

    private static double TimesPerSecond(int matrices, int rows, Action<int> run)
    {
        const int Repeats = 5, MinRuns = 150;
        for (int i = 0; i < matrices; i++) run(i);
        int times = matrices > 1 ? matrices : Math.Max(MinRuns / rows, 10);
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

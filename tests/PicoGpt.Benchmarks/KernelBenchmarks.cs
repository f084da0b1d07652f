using BenchmarkDotNet.Attributes;
using PicoGpt.Numerics;

namespace PicoGpt.Benchmarks;

/// <summary>Each kernel at each vector width that this machine has, on sizes of the 124M model, on one thread.</summary>
public unsafe class KernelBenchmarks : IDisposable
{
    private const int Width = 768;
    private const int Positions = 1024;

    private readonly AlignedBuffer _x = Random(128 * Width);
    private readonly AlignedBuffer _w = Random(Width * 4 * Width);
    private readonly AlignedBuffer _y = new(128 * 4 * Width);
    private readonly AlignedBuffer _keys = Random(Positions * 64);
    private readonly AlignedBuffer _scores = Random(Positions);
    private readonly AlignedBuffer _sums = new(Positions);
    private Kernels _kernels = Kernels.Best;

    [ParamsSource(nameof(Variants))]
    public string Variant { get; set; } = "";

    public static IEnumerable<string> Variants => Kernels.All.Select(k => k.Name);

    [GlobalSetup]
    public void Setup() => _kernels = Kernels.Choose(Variant);

    [GlobalCleanup]
    public void Dispose()
    {
        _x.Dispose();
        _w.Dispose();
        _y.Dispose();
        _keys.Dispose();
        _scores.Dispose();
        _sums.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark]
    public void MatMulOfOneRow() => MatMul(1);

    [Benchmark]
    public void MatMulOf128Rows() => MatMul(128);

    [Benchmark]
    public void Logits() => _kernels.MatMulTransposed(View(_x, 1, Width), View(_w, 4 * Width, Width), View(_y, 1, 4 * Width), 0, 4 * Width);

    [Benchmark]
    public void LayerNorm() => _kernels.LayerNorm(View(_x, 1, Width), _w.Data, _w.Data, 1e-5f, View(_y, 1, Width), 0, 1);

    [Benchmark]
    public void Gelu() => _kernels.Activate(ActivationFunction.Of(Gpt2Activation.GeluTanh), _y.Data, 4 * Width);

    [Benchmark]
    public void Softmax() => _kernels.Softmax(_scores.Data, Positions);

    [Benchmark]
    public void Scores() => _kernels.Scores(View(_x, 1, 64), _keys.Data, 0.125f, View(_scores, 1, Positions));

    [Benchmark]
    public void WeightedSum() => _kernels.WeightedSum(View(_scores, 1, Positions), _keys.Data, Positions, View(_y, 1, 64));

    [Benchmark]
    public void RoundedScores() =>
        _kernels.Scores(View(_x, 1, 64), (short*)_keys.Data, _scores.Data, 0.125f, View(_sums, 1, Positions));

    [Benchmark]
    public void RoundedWeightedSum() =>
        _kernels.WeightedSum(View(_scores, 1, Positions), (short*)_keys.Data, _scores.Data, Positions, View(_y, 1, 64));

    private static Matrix View(AlignedBuffer buffer, int rows, int columns) => new(buffer.Data, rows, columns);

    private static AlignedBuffer Random(int length)
    {
        var random = new Random64(1);
        var buffer = new AlignedBuffer(length);
        for (int i = 0; i < length; i++) buffer.Data[i] = (float)random.NextDouble() - 0.5f;
        return buffer;
    }

    private void MatMul(int rows) =>
        _kernels.MatMul(View(_x, rows, Width), View(_w, Width, 4 * Width), _w.Data, View(_y, rows, 4 * Width), 0, 4 * Width);
}

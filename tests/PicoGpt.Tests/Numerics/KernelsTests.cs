using PicoGpt.Numerics;
using Xunit;

namespace PicoGpt.Tests.Numerics;

/// <summary>Every vector width gives the bits of the plain loops, and the plain loops give what mathematics says.</summary>
public sealed unsafe class KernelsTests
{
    // Lengths below, at and beside every vector width and lane count.
    private static readonly int[] Lengths = [1, 3, 4, 7, 8, 15, 16, 17, 31, 45, 64, 65, 100];

    public static TheoryData<string> Variants => [.. Kernels.All.Select(k => k.Name)];

    [Fact]
    public void The_plain_variant_is_always_there() => Assert.Equal("plain", Kernels.All[^1].Name);

    [Theory]
    [MemberData(nameof(Variants))]
    public void A_variant_can_be_chosen_by_name(string name) => Assert.Equal(name, Kernels.Choose(name).Name);

    [Theory]
    [MemberData(nameof(Variants))]
    public void MatMul_gives_the_bits_of_the_plain_loop(string variant)
    {
        var plain = new PlainKernels();
        var shapes = from rows in new[] { 1, 2, 3, 5, 7, 16, 29 } from nIn in Lengths.Append(200) from nOut in Lengths select (rows, nIn, nOut);
        foreach ((int rows, int nIn, int nOut) in shapes)
        {
            using var x = new Block(rows, nIn, seed: 1);
            using var w = new Block(nIn, nOut, seed: 2);
            using var b = new Block(1, nOut, seed: 3);
            using var expected = new Block(rows, nOut);
            using var actual = new Block(rows, nOut);
            int middle = nOut / 2;
            plain.MatMul(x.Matrix, w.Matrix, b.Data, expected.Matrix, 0, nOut);
            Kernels.Choose(variant).MatMul(x.Matrix, w.Matrix, b.Data, actual.Matrix, 0, middle);
            Kernels.Choose(variant).MatMul(x.Matrix, w.Matrix, b.Data, actual.Matrix, middle, nOut);
            Assert.Equal(expected.Bits, actual.Bits);
            plain.MatMul(x.Matrix, w.Matrix, null, expected.Matrix, 0, nOut);
            Kernels.Choose(variant).MatMul(x.Matrix, w.Matrix, null, actual.Matrix, 0, nOut);
            Assert.Equal(expected.Bits, actual.Bits);
        }
    }

    // More rows, columns and inner values than any cache's share of them.
    [Theory]
    [MemberData(nameof(Variants))]
    public void Products_of_many_rows_give_the_bits_of_the_plain_loop(string variant)
    {
        const int Rows = 401, Inner = 300, Outer = 170;
        var plain = new PlainKernels();
        Kernels kernels = Kernels.Choose(variant);
        using var x = new Block(Rows, Inner, seed: 1);
        using var w = new Block(Inner, Outer, seed: 2);
        using var transposed = new Block(Outer, Inner, seed: 3);
        using var b = new Block(1, Outer, seed: 4);
        using var expected = new Block(Rows, Outer);
        using var actual = new Block(Rows, Outer);
        plain.MatMul(x.Matrix, w.Matrix, b.Data, expected.Matrix, 0, Outer);
        kernels.MatMul(x.Matrix, w.Matrix, b.Data, actual.Matrix, 0, Outer);
        Assert.Equal(expected.Bits, actual.Bits);
        plain.MatMulAdd(x.Matrix, w.Matrix, expected.Matrix, 0, Outer);
        kernels.MatMulAdd(x.Matrix, w.Matrix, actual.Matrix, 0, Outer);
        Assert.Equal(expected.Bits, actual.Bits);
        plain.MatMulBackward(x.Matrix, transposed.Matrix, expected.Matrix, 0, Outer);
        kernels.MatMulBackward(x.Matrix, transposed.Matrix, actual.Matrix, 0, Outer);
        Assert.Equal(expected.Bits, actual.Bits);
        plain.MatMulTransposed(x.Matrix, transposed.Matrix, expected.Matrix, 0, Outer);
        kernels.MatMulTransposed(x.Matrix, transposed.Matrix, actual.Matrix, 0, Outer);
        Assert.Equal(expected.Bits, actual.Bits);
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void MatMulTransposed_gives_the_bits_of_the_plain_loop(string variant)
    {
        const int NOut = 75;
        var plain = new PlainKernels();
        var shapes = from rows in new[] { 1, 3, 4, 6, 12, 17, 32 } from nIn in Lengths.Append(192) select (rows, nIn);
        foreach ((int rows, int nIn) in shapes)
        {
            using var x = new Block(rows, nIn, seed: 1);
            using var w = new Block(NOut, nIn, seed: 2);
            using var expected = new Block(rows, NOut);
            using var actual = new Block(rows, NOut);
            plain.MatMulTransposed(x.Matrix, w.Matrix, expected.Matrix, 0, NOut);
            Kernels.Choose(variant).MatMulTransposed(x.Matrix, w.Matrix, actual.Matrix, 0, 5);
            Kernels.Choose(variant).MatMulTransposed(x.Matrix, w.Matrix, actual.Matrix, 5, NOut);
            Assert.Equal(expected.Bits, actual.Bits);
        }
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void LayerNorm_and_Add_give_the_bits_of_the_plain_loop(string variant)
    {
        var plain = new PlainKernels();
        Kernels kernels = Kernels.Choose(variant);
        foreach (int n in Lengths)
        {
            using var x = new Block(2, n, seed: 1, scale: 4);
            using var g = new Block(1, n, seed: 2);
            using var b = new Block(1, n, seed: 3);
            using var expected = new Block(2, n);
            using var actual = new Block(2, n);
            plain.LayerNorm(x.Matrix, g.Data, null, 1e-3f, expected.Matrix, 0, 2);
            kernels.LayerNorm(x.Matrix, g.Data, null, 1e-3f, actual.Matrix, 0, 2);
            Assert.Equal(expected.Bits, actual.Bits);
            plain.LayerNorm(x.Matrix, g.Data, b.Data, 1e-5f, expected.Matrix, 0, 2);
            kernels.LayerNorm(x.Matrix, g.Data, b.Data, 1e-5f, actual.Matrix, 0, 2);
            Assert.Equal(expected.Bits, actual.Bits);
            plain.Add(expected.Data, x.Data, 2 * n);
            kernels.Add(actual.Data, x.Data, 2 * n);
            Assert.Equal(expected.Bits, actual.Bits);
        }
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void Kernels_of_the_backward_pass_give_the_bits_of_the_plain_loop(string variant)
    {
        var plain = new PlainKernels();
        Kernels kernels = Kernels.Choose(variant);
        foreach (int n in Lengths)
        {
            foreach (int rows in new[] { 1, 3, 6, 13 })
            {
                using var x = new Block(rows, n, seed: 1);
                using var w = new Block(n, 45, seed: 2);
                using var expectedProduct = new Block(rows, 45, seed: 3);
                using var actualProduct = new Block(rows, 45, seed: 3);
                plain.MatMulAdd(x.Matrix, w.Matrix, expectedProduct.Matrix, 0, 45);
                kernels.MatMulAdd(x.Matrix, w.Matrix, actualProduct.Matrix, 0, 20);
                kernels.MatMulAdd(x.Matrix, w.Matrix, actualProduct.Matrix, 20, 45);
                Assert.Equal(expectedProduct.Bits, actualProduct.Bits);
                using var upper = new Block(45, n, seed: 2);
                plain.MatMulBackward(x.Matrix, upper.Matrix, expectedProduct.Matrix, 0, 45);
                kernels.MatMulBackward(x.Matrix, upper.Matrix, actualProduct.Matrix, 0, 20);
                kernels.MatMulBackward(x.Matrix, upper.Matrix, actualProduct.Matrix, 20, 45);
                Assert.Equal(expectedProduct.Bits, actualProduct.Bits);
                using var g = new Block(1, n, seed: 4);
                using var dy = new Block(rows, n, seed: 5);
                using var normed = new Block(rows, n);
                using var sameNormed = new Block(rows, n);
                using var expected = new Block(rows, n, seed: 6);
                using var actual = new Block(rows, n, seed: 6);
                plain.LayerNormBackward(x.Matrix, g.Data, 1e-5f, dy.Matrix, normed.Matrix, expected.Matrix, 0, rows);
                kernels.LayerNormBackward(x.Matrix, g.Data, 1e-5f, dy.Matrix, sameNormed.Matrix, actual.Matrix, 0, rows);
                Assert.Equal(normed.Bits, sameNormed.Bits);
                Assert.Equal(expected.Bits, actual.Bits);
            }

            using var a = new Block(1, n, seed: 1, scale: 4);
            using var b = new Block(1, n, seed: 2);
            using var e = new Block(1, n, seed: 3);
            using var f = new Block(1, n, seed: 3);
            foreach (Gpt2Activation activation in Enum.GetValues<Gpt2Activation>())
            {
                plain.ActivateBackward(ActivationFunction.Of(activation), a.Data, e.Data, n);
                kernels.ActivateBackward(ActivationFunction.Of(activation), a.Data, f.Data, n);
            }

            plain.SoftmaxBackward(a.Data, e.Data, 0.3f, n);
            kernels.SoftmaxBackward(a.Data, f.Data, 0.3f, n);
            plain.MultiplyAdd(e.Data, a.Data, b.Data, n);
            kernels.MultiplyAdd(f.Data, a.Data, b.Data, n);
            plain.Scale(e.Data, 0.7f, n);
            kernels.Scale(f.Data, 0.7f, n);
            Assert.Equal(e.Bits, f.Bits);
            Assert.Equal(plain.SumOfSquares(e.Data, n), kernels.SumOfSquares(f.Data, n));
            using var m = new Block(1, n, seed: 7);
            using var sameM = new Block(1, n, seed: 7);
            using var v = new Block(1, n);
            using var sameV = new Block(1, n);
            var factors = new AdamWFactors(0.5f, 0.9f, 0.99f, 0.1f, 1.5f, 1e-8f, 0.999f);
            plain.AdamW(e.Data, b.Data, m.Data, v.Data, n, factors);
            kernels.AdamW(f.Data, b.Data, sameM.Data, sameV.Data, n, factors);
            Assert.Equal(e.Bits, f.Bits);
            Assert.Equal(m.Bits, sameM.Bits);
            Assert.Equal(v.Bits, sameV.Bits);
        }
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void Attention_kernels_give_the_bits_of_the_plain_loop(string variant)
    {
        var plain = new PlainKernels();
        Kernels kernels = Kernels.Choose(variant);
        var shapes = from h in new[] { 3, 16, 48, 64 } from n in new[] { 1, 2, 15, 16, 17, 63, 64, 65, 130 } from t in new[] { 1, 5, 6 } select (h, n, t);
        foreach ((int headSize, int positions, int rows) in shapes)
        {
            int blocks = (positions + rows - 1 + Kernels.KeyBlock - 1) / Kernels.KeyBlock;
            int width = (headSize + Kernels.Lanes - 1) / Kernels.Lanes * Kernels.Lanes;
            using var q = new Block(rows, headSize, seed: 1);
            using var keys = new Block(blocks, headSize * Kernels.KeyBlock, seed: 2);
            using var values = new Block(positions + rows, width, seed: 3);
            using var expected = new Block(rows, blocks * Kernels.KeyBlock);
            using var actual = new Block(rows, blocks * Kernels.KeyBlock);
            plain.Scores(q.Matrix, keys.Data, 0.3f, expected.Matrix);
            kernels.Scores(q.Matrix, keys.Data, 0.3f, actual.Matrix);
            Assert.Equal(expected.Bits, actual.Bits);
            for (int t = 0; t < rows; t++)
            {
                plain.Softmax(expected.Matrix.RowPointer(t), positions + t);
                kernels.Softmax(actual.Matrix.RowPointer(t), positions + t);
                Assert.Equal(expected.Matrix.Row(t)[..(positions + t)], actual.Matrix.Row(t)[..(positions + t)]);
            }

            using var expectedSum = new Block(rows, width);
            using var actualSum = new Block(rows, width);
            plain.WeightedSum(expected.Matrix, values.Data, positions, expectedSum.Matrix);
            kernels.WeightedSum(actual.Matrix, values.Data, positions, actualSum.Matrix);
            Assert.Equal(expectedSum.Bits, actualSum.Bits);
        }
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void Attention_over_rounded_keys_and_values_gives_the_bits_of_the_plain_loop_and_of_widened_ones(string variant)
    {
        var plain = new PlainKernels();
        Kernels kernels = Kernels.Choose(variant);
        var shapes = from h in new[] { 3, 16, 48, 64, 80 } from n in new[] { 1, 2, 17, 64, 65, 130 } from t in new[] { 1, 5, 6 } select (h, n, t);
        foreach ((int headSize, int positions, int rows) in shapes)
        {
            int blocks = (positions + rows - 1 + Kernels.KeyBlock - 1) / Kernels.KeyBlock, columns = blocks * Kernels.KeyBlock;
            int width = (int)Kernels.Padded(headSize), blockLength = headSize * Kernels.KeyBlock;
            using var q = new Block(rows, headSize, seed: 1);
            using var scales = new Block(1, columns, seed: 2, scale: 1e-4f);
            short[] integers = new short[Math.Max(blocks * blockLength, columns * width)];
            var random = new Random64(3);
            for (int i = 0; i < integers.Length; i++) integers[i] = (short)((random.NextDouble() * 65535) - 32767);
            using var expected = new Block(rows, columns);
            using var actual = new Block(rows, columns);
            using var expectedSum = new Block(rows, width);
            using var actualSum = new Block(rows, width);
            using var keys = new Block(blocks, headSize * Kernels.KeyBlock);
            using var values = new Block(columns, width);
            fixed (short* data = integers)
            {
                plain.Scores(q.Matrix, data, scales.Data, 0.3f, expected.Matrix);
                kernels.Scores(q.Matrix, data, scales.Data, 0.3f, actual.Matrix);
                Assert.Equal(expected.Bits, actual.Bits);
                plain.WeightedSum(expected.Matrix, data, scales.Data, positions, expectedSum.Matrix);
                kernels.WeightedSum(expected.Matrix, data, scales.Data, positions, actualSum.Matrix);
                Assert.Equal(expectedSum.Bits, actualSum.Bits);
                for (int j = 0; j < blocks; j++)
                    kernels.WidenKeys(data + (j * blockLength), scales.Data + (j * Kernels.KeyBlock), headSize, keys.Matrix.RowPointer(j));
                kernels.WidenValues(data, scales.Data, positions + rows - 1, width, values.Data);
            }

            kernels.Scores(q.Matrix, keys.Data, 0.3f, actual.Matrix);
            Assert.Equal(expected.Bits, actual.Bits);
            kernels.WeightedSum(expected.Matrix, values.Data, positions, actualSum.Matrix);
            Assert.Equal(expectedSum.Bits, actualSum.Bits);
        }
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void A_key_is_rounded_by_at_most_half_of_a_65534th_of_its_range(string variant)
    {
        Kernels kernels = Kernels.Choose(variant);
        foreach (int n in Lengths)
        {
            using var x = new Block(1, n, seed: 1, scale: 5);
            short[] expected = new short[n + Kernels.RoundedTogether], actual = new short[n + Kernels.RoundedTogether];
            fixed (short* first = expected, second = actual)
            {
                float scale = kernels.Round(x.Data, second, n), largest = x.Values.Max(Math.Abs);
                Assert.Equal(new PlainKernels().Round(x.Data, first, n), scale);
                Assert.Equal(expected[..n], actual[..n]);
                for (int i = 0; i < n; i++) Assert.Equal(x.Values[i], (double)actual[i] * scale, largest / 32767 * 0.51);
            }
        }
    }

    [Theory]
    [InlineData(0f, 0f)]
    [InlineData(1e-38f, 0f)]
    [InlineData(float.NaN, float.NaN)]
    [InlineData(float.PositiveInfinity, float.PositiveInfinity)]
    public void What_is_too_small_to_round_is_zero_and_what_is_not_finite_is_in_the_scale(float value, float expected)
    {
        short* y = stackalloc short[64];
        foreach (Kernels kernels in Kernels.All)
        {
            using var x = new Block(1, 64, [.. Enumerable.Repeat(0f, 5), value]);
            Assert.Equal(expected, kernels.Round(x.Data, y, 64));
            for (int i = 0; i < 64; i++) Assert.Equal(0, y[i]);
        }
    }

    [Fact]
    public void MatMul_adds_the_bias_to_the_products()
    {
        using var x = new Block(1, 2, 1f, 2f);
        using var w = new Block(2, 3, 1f, 2f, 3f, 4f, 5f, 6f);
        using var b = new Block(1, 3, 0.5f, 0.25f, 0.125f);
        using var y = new Block(1, 3);
        new PlainKernels().MatMul(x.Matrix, w.Matrix, b.Data, y.Matrix, 0, 3);
        Assert.Equal([9.5f, 12.25f, 15.125f], y.Values);
    }

    [Fact]
    public void Layer_norm_has_mean_zero_and_biased_variance_one_before_gain_and_bias()
    {
        using var x = new Block(1, 64, seed: 9, scale: 10);
        using var g = new Block(1, 64, [.. Enumerable.Repeat(1f, 64)]);
        using var b = new Block(1, 64);
        using var y = new Block(1, 64);
        Kernels.Best.LayerNorm(x.Matrix, g.Data, b.Data, 1e-5f, y.Matrix, 0, 1);
        Assert.Equal(0, y.Values.Average(), 1e-6);
        Assert.Equal(1, y.Values.Average(v => v * v), 1e-5);
    }

    [Theory]
    [InlineData(95f, 90f, -3f)]
    [InlineData(-110f, -115f)]
    public void Softmax_subtracts_the_maximum_where_the_plain_exponential_would_overflow(params float[] logits)
    {
        double sum = logits.Sum(l => Math.Exp(l - logits.Max()));
        foreach (Kernels kernels in Kernels.All)
        {
            using var x = new Block(1, Kernels.Lanes, logits);
            kernels.Softmax(x.Data, logits.Length);
            for (int i = 0; i < logits.Length; i++) Assert.Equal(Math.Exp(logits[i] - logits.Max()) / sum, x.Values[i], 1e-7);
        }
    }

    [Fact]
    public void The_exponential_is_within_two_units_of_the_last_place()
    {
        for (float x = -87f; x < 88f; x += 0.00917f)
        {
            double exact = Math.Exp(x);
            double unit = MathF.BitIncrement((float)exact) - (float)exact;
            Assert.True(Math.Abs(Exponential.Of(x) - exact) < 2 * unit, $"exp({x}) = {Exponential.Of(x)}, exactly {exact}");
        }
    }

    /// <summary>A small matrix with memory of its own.</summary>
    private sealed class Block : IDisposable
    {
        private readonly AlignedBuffer _buffer;

        public Block(int rows, int columns, params float[] values)
        {
            _buffer = new AlignedBuffer((long)rows * columns);
            Matrix = _buffer.AsMatrix(rows, columns);
            values.CopyTo(new Span<float>(Data, rows * columns));
        }

        public Block(int rows, int columns, ulong seed, float scale = 1)
            : this(rows, columns)
        {
            var random = new Random64(seed);
            for (int i = 0; i < rows * columns; i++) Data[i] = (float)((random.NextDouble() * 2) - 1) * scale;
        }

        public Matrix Matrix { get; }

        public float* Data => _buffer.Data;

        public float[] Values => new Span<float>(Data, Matrix.Rows * Matrix.Columns).ToArray();

        public int[] Bits => [.. Values.Select(BitConverter.SingleToInt32Bits)];

        public void Dispose() => _buffer.Dispose();
    }
}

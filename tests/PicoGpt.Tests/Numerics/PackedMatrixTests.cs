using PicoGpt.Numerics;
using Xunit;

namespace PicoGpt.Tests.Numerics;

/// <summary>
/// Every format at every vector width gives the bits of the plain loops: of floating-point values, those of float32 arithmetic on the
/// unpacked values; of integers, those of exact sums that are scaled block by block.
/// </summary>
public sealed unsafe class PackedMatrixTests
{
    private static readonly Gpt2Precision[] Precisions = Enum.GetValues<Gpt2Precision>();

    public static TheoryData<string, Gpt2Precision> FloatVariants => Variants(Gpt2Precision.Float32, Gpt2Precision.Float16, Gpt2Precision.BFloat16);

    /// <summary>Every vector width with both ways to unpack halves, of which a processor takes one.</summary>
    public static TheoryData<string, bool> HalfVariants
    {
        get
        {
            var data = new TheoryData<string, bool>();
            foreach (Kernels kernels in Kernels.All)
            {
                data.Add(kernels.Name, false);
                data.Add(kernels.Name, true);
            }

            return data;
        }
    }

    public static TheoryData<string, Gpt2Precision, bool> QuantizedVariants
    {
        get
        {
            var data = new TheoryData<string, Gpt2Precision, bool>();
            foreach (Kernels kernels in Kernels.All)
            {
                data.Add(kernels.Name, Gpt2Precision.Int8, false);
                data.Add(kernels.Name, Gpt2Precision.Int4, false);
                data.Add(kernels.Name, Gpt2Precision.Int4, true);
            }

            return data;
        }
    }

    // At most half a step from the next value, or the scale's own rounding: relative to the largest of 32 values in a column.
    public static TheoryData<Gpt2Precision, double> Errors => new()
    {
        { Gpt2Precision.Float32, 0 },
        { Gpt2Precision.Float16, 1 / 2048.0 },
        { Gpt2Precision.BFloat16, 1 / 256.0 },
        { Gpt2Precision.Int8, (0.5 / 127) + (1 / 256.0) },
        { Gpt2Precision.Int4, 0.1 },
    };

    [Fact]
    public void Every_precision_has_a_packed_format_and_nothing_else_has()
    {
        foreach (Gpt2Precision precision in Precisions) Assert.Same(PackedFormat.Of(precision), PackedFormat.Of(precision));
        Assert.NotSame(PackedFormat.Of(Gpt2Precision.Int4), PackedFormat.Of(Gpt2Precision.Int4, isEmbedding: true));
        Assert.Throws<ArgumentOutOfRangeException>(() => PackedFormat.Of((Gpt2Precision)99));
    }

    [Theory]
    [MemberData(nameof(FloatVariants))]
    public void Products_have_the_bits_of_float32_on_the_unpacked_values(string variant, Gpt2Precision precision)
    {
        var shapes = from rows in new[] { 1, 2, 3, 4, 5, 6, 7, 8, 13, 33, 64, 65 } from nIn in new[] { 1, 31, 32, 33, 100, 200 } from nOut in new[] { 1, 16, 32, 45, 64, 97, 160 } select (rows, nIn, nOut);
        foreach ((int rows, int nIn, int nOut) in shapes)
        {
            using Packed w = Pack(precision, nIn, nOut);
            using AlignedBuffer x = Fill(rows * nIn, 1), b = Fill(nOut, 3), expected = Fill(rows * nOut, 0), actual = Fill(rows * nOut, 0);
            int middle = nOut / 2 / PackedMatrix.Side * PackedMatrix.Side;
            new PlainKernels().MatMul(x.AsMatrix(rows, nIn), w.Unpacked, b.Data, expected.AsMatrix(rows, nOut), 0, nOut);
            Kernels kernels = Kernels.Choose(variant);
            kernels.MatMulPacked(x.AsMatrix(rows, nIn), w.Matrix, b.Data, actual.AsMatrix(rows, nOut), 0, middle);
            kernels.MatMulPacked(x.AsMatrix(rows, nIn), w.Matrix, b.Data, actual.AsMatrix(rows, nOut), middle, nOut);
            Assert.Equal(Bits(expected), Bits(actual));
        }
    }

    [Theory]
    [MemberData(nameof(FloatVariants))]
    public void Products_of_extreme_values_have_the_bits_of_float32_too(string variant, Gpt2Precision precision)
    {
        const int In = 90, Out = 50;
        float[] values = Random(In * Out, 2);
        for (int i = 0; i < values.Length; i += 3) values[i] *= i % 2 == 0 ? 1e-6f : 65504; // halves below the least normal one, and the greatest
        using Packed w = Pack(precision, In, Out, values);
        foreach (int rows in new[] { 1, 2, 3, 4, 5, 7, 8 })
        {
            foreach (float extreme in new[] { -0f, 1e-40f, -65535.996f, 65536, -1e30f, float.MaxValue, float.NegativeInfinity, float.NaN })
            {
                using AlignedBuffer x = Fill(rows * In, 1), expected = Fill(rows * Out, 0), actual = Fill(rows * Out, 0);
                foreach (int column in new[] { 17, In - 1 }) x.Data[((rows - 1) * In) + column] = extreme;
                new PlainKernels().MatMul(x.AsMatrix(rows, In), w.Unpacked, null, expected.AsMatrix(rows, Out), 0, Out);
                Kernels.Choose(variant).MatMulPacked(x.AsMatrix(rows, In), w.Matrix, null, actual.AsMatrix(rows, Out), 0, Out);
                Assert.Equal(Numbers(expected), Numbers(actual));
            }
        }
    }

    [Fact]
    public void A_row_too_long_to_be_scaled_beforehand_has_the_same_bits()
    {
        const int In = 40_000, Out = 33;
        using Packed w = Pack(Gpt2Precision.Float16, In, Out);
        using AlignedBuffer x = Fill(In, 1), expected = Fill(Out, 0), actual = Fill(Out, 0);
        new PlainKernels().MatMul(x.AsMatrix(1, In), w.Unpacked, null, expected.AsMatrix(1, Out), 0, Out);
        foreach (Kernels kernels in Kernels.All)
        {
            kernels.MatMulPacked(x.AsMatrix(1, In), w.Matrix, null, actual.AsMatrix(1, Out), 0, Out);
            Assert.Equal(Bits(expected), Bits(actual));
        }
    }

    [Theory]
    [MemberData(nameof(FloatVariants))]
    public void Without_a_bias_the_sums_start_from_zero(string variant, Gpt2Precision precision)
    {
        using Packed w = Pack(precision, 40, 50);
        using AlignedBuffer x = Fill(80, 1), zero = new(50), expected = Fill(100, 0), actual = Fill(100, 0);
        new PlainKernels().MatMul(x.AsMatrix(2, 40), w.Unpacked, zero.Data, expected.AsMatrix(2, 50), 0, 50);
        Kernels.Choose(variant).MatMulPacked(x.AsMatrix(2, 40), w.Matrix, null, actual.AsMatrix(2, 50), 0, 50);
        Assert.Equal(Bits(expected), Bits(actual));
    }

    [Theory]
    [MemberData(nameof(QuantizedVariants))]
    public void Products_of_integers_have_the_bits_of_the_plain_loops(string variant, Gpt2Precision precision, bool isEmbedding)
    {
        var shapes = from rows in new[] { 1, 2, 3, 4, 5, 6, 13, 16, 17, 33 } from nIn in new[] { 1, 31, 32, 33, 100, 200, 300, 900 } from nOut in new[] { 1, 16, 32, 45, 64, 97, 160 } select (rows, nIn, nOut);
        foreach ((int rows, int nIn, int nOut) in shapes)
        {
            using Packed w = Pack(precision, nIn, nOut, isEmbedding: isEmbedding);
            using AlignedBuffer x = Fill(rows * nIn, 1), b = Fill(nOut, 3), expected = Fill(rows * nOut, 0), actual = Fill(rows * nOut, 0);
            int middle = nOut / 2 / PackedMatrix.Side * PackedMatrix.Side;
            using Quantized plain = Quantize(new PlainKernels(), x.AsMatrix(rows, nIn), w), fast = Quantize(Kernels.Choose(variant), x.AsMatrix(rows, nIn), w);
            Assert.Equal(Bits(plain.Memory), Bits(fast.Memory));
            float* bias = nOut % 2 == 0 ? b.Data : null;
            new PlainKernels().MatMulQuantized(plain.Matrix, w.Matrix, bias, expected.AsMatrix(rows, nOut), 0, nOut);
            Kernels.Choose(variant).MatMulQuantized(fast.Matrix, w.Matrix, bias, actual.AsMatrix(rows, nOut), 0, middle);
            Kernels.Choose(variant).MatMulQuantized(fast.Matrix, w.Matrix, bias, actual.AsMatrix(rows, nOut), middle, nOut);
            Assert.Equal(Bits(expected), Bits(actual));
        }
    }

    [Theory]
    [MemberData(nameof(QuantizedVariants))]
    public void Every_level_is_looked_up_by_every_row_and_column(string variant, Gpt2Precision precision, bool isEmbedding)
    {
        int rows = PackedFormat.Of(precision, isEmbedding).BlockRows;
        using Packed w = Pack(precision, rows, PackedMatrix.Side, isEmbedding: isEmbedding);
        var random = new Random64(8); // whatever bytes a file may have where its integers stand
        for (int i = PackedMatrix.Side * sizeof(ushort); i < w.Bytes.Length; i++) w.Matrix.Data[i] = (byte)random.Next();
        using AlignedBuffer x = new(rows * rows), expected = new(rows * PackedMatrix.Side), actual = new(rows * PackedMatrix.Side);
        for (int i = 0; i < rows; i++) x.Data[(i * rows) + i] = 1; // a row of x takes a row of w
        using Quantized integers = Quantize(new PlainKernels(), x.AsMatrix(rows, rows), w);
        new PlainKernels().MatMulQuantized(integers.Matrix, w.Matrix, null, expected.AsMatrix(rows, PackedMatrix.Side), 0, PackedMatrix.Side);
        Kernels.Choose(variant).MatMulQuantized(integers.Matrix, w.Matrix, null, actual.AsMatrix(rows, PackedMatrix.Side), 0, PackedMatrix.Side);
        Assert.Equal(Bits(expected), Bits(actual));
    }

    [Theory]
    [MemberData(nameof(QuantizedVariants))]
    public void The_greatest_integers_do_not_overflow(string variant, Gpt2Precision precision, bool isEmbedding)
    {
        int rows = PackedFormat.Of(precision, isEmbedding).BlockRows;
        using Packed w = Pack(precision, rows, PackedMatrix.Side, isEmbedding: isEmbedding);
        foreach (byte bits in new byte[] { 0, 0x7F, 0x81, 0xFF }) // the least and the greatest integers of each format
        {
            for (int i = PackedMatrix.Side * sizeof(ushort); i < w.Bytes.Length; i++) w.Matrix.Data[i] = bits;
            foreach (int count in new[] { 1, 2, 4, 20 })
            {
                using AlignedBuffer x = new(count * rows), expected = new(count * PackedMatrix.Side), actual = new(count * PackedMatrix.Side);
                for (int i = 0; i < count * rows; i++) x.Data[i] = i / rows % 2 == 0 ? 1 : -1;
                using Quantized integers = Quantize(Kernels.Choose(variant), x.AsMatrix(count, rows), w);
                new PlainKernels().MatMulQuantized(integers.Matrix, w.Matrix, null, expected.AsMatrix(count, PackedMatrix.Side), 0, PackedMatrix.Side);
                Kernels.Choose(variant).MatMulQuantized(integers.Matrix, w.Matrix, null, actual.AsMatrix(count, PackedMatrix.Side), 0, PackedMatrix.Side);
                Assert.Equal(Bits(expected), Bits(actual));
            }
        }
    }

    [Theory]
    [MemberData(nameof(QuantizedVariants))]
    public void Products_of_integers_are_near_those_of_the_values(string variant, Gpt2Precision precision, bool isEmbedding)
    {
        const int Rows = 3, In = 200, Out = 40;
        using Packed w = Pack(precision, In, Out, isEmbedding: isEmbedding);
        using AlignedBuffer x = Fill(Rows * In, 1), expected = new(Rows * Out), actual = new(Rows * Out);
        using Quantized integers = Quantize(Kernels.Choose(variant), x.AsMatrix(Rows, In), w);
        new PlainKernels().MatMul(x.AsMatrix(Rows, In), w.Unpacked, null, expected.AsMatrix(Rows, Out), 0, Out);
        Kernels.Choose(variant).MatMulQuantized(integers.Matrix, w.Matrix, null, actual.AsMatrix(Rows, Out), 0, Out);
        double tolerance = precision == Gpt2Precision.Int4 ? 0.12 : 2e-3; // of about eight, from 200 roundings of at most 1/204 or 1/65536
        for (int i = 0; i < Rows * Out; i++) Assert.Equal(expected.Data[i], actual.Data[i], tolerance);
    }

    [Theory]
    [MemberData(nameof(QuantizedVariants))]
    public void Values_that_are_not_finite_reach_every_sum_of_their_row_and_no_other(string variant, Gpt2Precision precision, bool isEmbedding)
    {
        foreach (float bad in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity })
        {
            using Packed w = Pack(precision, 100, 40, isEmbedding: isEmbedding);
            using AlignedBuffer x = Fill(300, 1), y = new(120);
            x.Data[150] = bad;
            using Quantized integers = Quantize(Kernels.Choose(variant), x.AsMatrix(3, 100), w);
            Kernels.Choose(variant).MatMulQuantized(integers.Matrix, w.Matrix, null, y.AsMatrix(3, 40), 0, 40);
            for (int i = 0; i < 120; i++) Assert.Equal(i / 40 != 1, float.IsFinite(y.Data[i]));
        }
    }

    [Theory]
    [MemberData(nameof(QuantizedVariants))]
    public void Values_too_small_for_a_scale_are_zero_and_the_greatest_do_not_overflow(string variant, Gpt2Precision precision, bool isEmbedding)
    {
        int rows = PackedFormat.Of(precision, isEmbedding).BlockRows;
        using Packed w = Pack(precision, rows, 32, [.. Enumerable.Repeat(-1f, rows * 32)], isEmbedding);
        using AlignedBuffer x = new(2 * rows), y = new(64);
        for (int i = 0; i < rows; i++) (x.Data[i], x.Data[rows + i]) = (1e-38f, float.MaxValue / 1e4f);
        using Quantized integers = Quantize(Kernels.Choose(variant), x.AsMatrix(2, rows), w);
        Kernels.Choose(variant).MatMulQuantized(integers.Matrix, w.Matrix, null, y.AsMatrix(2, 32), 0, 32);
        for (int i = 0; i < 32; i++) Assert.Equal(0, y.Data[i]);
        for (int i = 32; i < 64; i++) Assert.Equal(-rows * (double)(float.MaxValue / 1e4f), y.Data[i], rows * 1e33);
    }

    [Theory]
    [MemberData(nameof(Errors))]
    public void Values_are_close_to_what_was_packed(Gpt2Precision precision, double tolerance)
    {
        using Packed w = Pack(precision, 64, 64);
        for (int column = 0; column < 64; column++)
        {
            for (int block = 0; block < 64; block += 32) // or more, whose largest value is no smaller
            {
                double largest = Enumerable.Range(block, 32).Max(row => Math.Abs(w.Original[(row * 64) + column]));
                for (int row = block; row < block + 32; row++)
                    Assert.Equal(w.Original[(row * 64) + column], w.Unpacked.Row(row)[column], tolerance * largest);
            }
        }
    }

    [Fact]
    public void A_transpose_is_packed_as_the_matrix_would_be()
    {
        foreach (Gpt2Precision precision in Precisions)
        {
            using Packed straight = Pack(precision, 40, 70);
            float[] turned = new float[70 * 40];
            for (int i = 0; i < 40 * 70; i++) turned[(i % 70 * 40) + (i / 70)] = straight.Original[i];
            using var other = new AlignedBuffer(PackedMatrix.SizeOf(PackedFormat.Of(precision), 40, 70) / sizeof(float));
            var matrix = new PackedMatrix((byte*)other.Data, PackedFormat.Of(precision), 40, 70);
            fixed (float* source = turned)
            {
                for (int panel = 0; panel < matrix.Panels; panel++) matrix.PackPanel(panel, source, rowStride: 1, columnStride: 40);
            }

            Assert.Equal(straight.Bytes.ToArray(), new ReadOnlySpan<byte>(other.Data, straight.Bytes.Length).ToArray());
        }
    }

    [Theory]
    [MemberData(nameof(FloatVariants))]
    public void Every_finite_half_and_bfloat16_is_widened_exactly(string variant, Gpt2Precision precision)
    {
        if (precision is not (Gpt2Precision.Float16 or Gpt2Precision.BFloat16)) return;
        float[] values = [.. Enumerable.Range(0, 65536).Select(bits => precision == Gpt2Precision.Float16
            ? (float)BitConverter.UInt16BitsToHalf((ushort)bits)
            : BitConverter.UInt32BitsToSingle((uint)bits << 16)).Where(float.IsFinite)];
        using Packed w = Pack(precision, 1, values.Length, values);
        using AlignedBuffer x = new(1), y = new(values.Length);
        x.Data[0] = 1;
        Kernels.Choose(variant).MatMulPacked(x.AsMatrix(1, 1), w.Matrix, null, y.AsMatrix(1, values.Length), 0, values.Length);
        Assert.Equal(values, new Span<float>(y.Data, values.Length).ToArray());
    }

    [Theory]
    [MemberData(nameof(HalfVariants))]
    public void Every_half_has_the_same_bits_with_subnormal_floats_on_the_way_and_without(string variant, bool avoidsSubnormals)
    {
        float[] values = [.. Enumerable.Range(0, 65536).Select(bits => (float)BitConverter.UInt16BitsToHalf((ushort)bits)).Where(float.IsFinite)];
        using var w = new Packed(new Float16Products(avoidsSubnormals), 1, values.Length, values);
        using var zeros = new AlignedBuffer(values.Length);
        new Span<float>(zeros.Data, values.Length).Fill(-0f); // a sum of zeros has the sign of the half
        foreach (int rows in new[] { 1, 2, 3, 4, 5, 8, 65 })
        {
            using AlignedBuffer x = Fill(rows, 1), expected = new(rows * values.Length), actual = new(rows * values.Length);
            x.Data[0] = 1;
            new PlainKernels().MatMul(x.AsMatrix(rows, 1), w.Unpacked, zeros.Data, expected.AsMatrix(rows, values.Length), 0, values.Length);
            Kernels.Choose(variant).MatMulPacked(x.AsMatrix(rows, 1), w.Matrix, zeros.Data, actual.AsMatrix(rows, values.Length), 0, values.Length);
            Assert.Equal(Bits(expected), Bits(actual));
        }
    }

    [Fact]
    public void What_half_precision_cannot_hold_becomes_its_largest_value()
    {
        using Packed w = Pack(Gpt2Precision.Float16, 1, 2, [1e6f, -1e6f]);
        Assert.Equal([65504f, -65504f], w.Unpacked.Row(0).ToArray());
    }

    [Theory]
    [InlineData(true, 0.072, 0.078)] // 0.081 with even levels and the best scale
    [InlineData(false, 0.041, 0.0445)] // 0.048
    public void Levels_err_less_than_evenly_spaced_ones(bool isEmbedding, double least, double most)
    {
        var random = new Random64(5);
        float[] values = [.. Enumerable.Range(0, 96 * 1024).Select(_ => (float)(Enumerable.Range(0, 12).Sum(_ => random.NextDouble()) - 6))];
        using Packed w = Pack(Gpt2Precision.Int4, 96, 1024, values, isEmbedding);
        double error = Math.Sqrt(w.Original.Zip(w.UnpackedValues, (a, b) => Math.Pow(a - b, 2)).Average());
        Assert.InRange(error, least, most);
    }

    private static TheoryData<string, Gpt2Precision> Variants(params Gpt2Precision[] precisions)
    {
        var data = new TheoryData<string, Gpt2Precision>();
        foreach (Kernels kernels in Kernels.All)
        {
            foreach (Gpt2Precision precision in precisions) data.Add(kernels.Name, precision);
        }

        return data;
    }

    private static Packed Pack(Gpt2Precision precision, int rows, int columns, float[]? values = null, bool isEmbedding = false) =>
        new(PackedFormat.Of(precision, isEmbedding), rows, columns, values ?? Random(rows * columns, 2));

    private static Quantized Quantize(Kernels kernels, Matrix x, Packed w)
    {
        var quantized = new Quantized(x.Rows, x.Columns, (QuantizedFormat)w.Matrix.Format);
        kernels.Quantize(x, quantized.Matrix, 0, x.Rows);
        return quantized;
    }

    private static float[] Random(int count, ulong seed)
    {
        var random = new Random64(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() * 2) - 1))];
    }

    private static AlignedBuffer Fill(int count, ulong seed)
    {
        var buffer = new AlignedBuffer(count);
        Random(count, seed).CopyTo(new Span<float>(buffer.Data, count));
        return buffer;
    }

    // the bits, but of what is no number
    private static int?[] Numbers(AlignedBuffer buffer) =>
        [.. new Span<float>(buffer.Data, (int)buffer.Length).ToArray().Select(value => float.IsNaN(value) ? (int?)null : BitConverter.SingleToInt32Bits(value))];

    private static int[] Bits(AlignedBuffer buffer) => [.. new Span<float>(buffer.Data, (int)buffer.Length).ToArray().Select(BitConverter.SingleToInt32Bits)];

    /// <summary>A matrix of integers in memory of its own.</summary>
    private sealed class Quantized(int rows, int columns, QuantizedFormat format) : IDisposable
    {
        public AlignedBuffer Memory { get; } = new(rows * QuantizedMatrix.LengthOf(columns, format));

        public QuantizedMatrix Matrix => new(Memory.Data, rows, columns, format);

        public void Dispose() => Memory.Dispose();
    }

    /// <summary>A packed matrix with what it was made from and what it holds.</summary>
    private sealed class Packed : IDisposable
    {
        private readonly AlignedBuffer _bytes;
        private readonly AlignedBuffer _unpacked;

        public Packed(PackedFormat format, int rows, int columns, float[] values)
        {
            Original = values;
            _bytes = new AlignedBuffer(PackedMatrix.SizeOf(format, rows, columns) / sizeof(float));
            _unpacked = new AlignedBuffer((long)rows * columns);
            Matrix = new PackedMatrix((byte*)_bytes.Data, format, rows, columns);
            fixed (float* source = values)
            {
                for (int panel = 0; panel < Matrix.Panels; panel++) Matrix.PackPanel(panel, source, columns, 1);
            }

            float[] column = new float[rows];
            for (int o = 0; o < columns; o++)
            {
                Matrix.CopyColumn(o, column);
                for (int i = 0; i < rows; i++) _unpacked.Data[((long)i * columns) + o] = column[i];
            }
        }

        public float[] Original { get; }

        public PackedMatrix Matrix { get; }

        public Matrix Unpacked => _unpacked.AsMatrix(Matrix.Rows, Matrix.Columns);

        public float[] UnpackedValues => new Span<float>(_unpacked.Data, (int)_unpacked.Length).ToArray();

        public ReadOnlySpan<byte> Bytes => new(_bytes.Data, (int)(_bytes.Length * sizeof(float)));

        public void Dispose()
        {
            _bytes.Dispose();
            _unpacked.Dispose();
        }
    }
}

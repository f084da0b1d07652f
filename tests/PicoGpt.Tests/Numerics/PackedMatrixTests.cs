using PicoGpt.Numerics;
using Xunit;

namespace PicoGpt.Tests.Numerics;

/// <summary>Every precision at every vector width gives the bits of float32 arithmetic on the unpacked values.</summary>
public sealed unsafe class PackedMatrixTests
{
    private static readonly Gpt2Precision[] Precisions = Enum.GetValues<Gpt2Precision>();

    public static TheoryData<string, Gpt2Precision> Variants
    {
        get
        {
            var data = new TheoryData<string, Gpt2Precision>();
            foreach (Kernels kernels in Kernels.All)
            {
                foreach (Gpt2Precision precision in Precisions) data.Add(kernels.Name, precision);
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
        { Gpt2Precision.Int4, 0.2 },
    };

    [Fact]
    public void Every_precision_has_a_packed_format_and_nothing_else_has()
    {
        foreach (Gpt2Precision precision in Precisions) Assert.Same(PackedFormat.Of(precision), PackedFormat.Of(precision));
        Assert.Throws<ArgumentOutOfRangeException>(() => PackedFormat.Of((Gpt2Precision)99));
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void Products_have_the_bits_of_float32_on_the_unpacked_values(string variant, Gpt2Precision precision)
    {
        var shapes = from rows in new[] { 1, 2, 5, 6, 13, 32, 33 } from nIn in new[] { 1, 31, 32, 33, 100, 200 } from nOut in new[] { 1, 16, 32, 45, 64, 97, 160 } select (rows, nIn, nOut);
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
    [MemberData(nameof(Variants))]
    public void Without_a_bias_the_sums_start_from_zero(string variant, Gpt2Precision precision)
    {
        using Packed w = Pack(precision, 40, 50);
        using AlignedBuffer x = Fill(80, 1), zero = new(50), expected = Fill(100, 0), actual = Fill(100, 0);
        new PlainKernels().MatMul(x.AsMatrix(2, 40), w.Unpacked, zero.Data, expected.AsMatrix(2, 50), 0, 50);
        Kernels.Choose(variant).MatMulPacked(x.AsMatrix(2, 40), w.Matrix, null, actual.AsMatrix(2, 50), 0, 50);
        Assert.Equal(Bits(expected), Bits(actual));
    }

    [Theory]
    [MemberData(nameof(Errors))]
    public void Values_are_close_to_what_was_packed(Gpt2Precision precision, double tolerance)
    {
        using Packed w = Pack(precision, 64, 64);
        for (int column = 0; column < 64; column++)
        {
            for (int block = 0; block < 64; block += 32)
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
            using var other = new AlignedBuffer(PackedMatrix.SizeOf(precision, 40, 70) / sizeof(float));
            var matrix = new PackedMatrix((byte*)other.Data, precision, 40, 70);
            fixed (float* source = turned)
            {
                for (int panel = 0; panel < matrix.Panels; panel++) matrix.PackPanel(panel, source, rowStride: 1, columnStride: 40);
            }

            Assert.Equal(straight.Bytes.ToArray(), new ReadOnlySpan<byte>(other.Data, straight.Bytes.Length).ToArray());
        }
    }

    [Theory]
    [MemberData(nameof(Variants))]
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

    [Fact]
    public void What_half_precision_cannot_hold_becomes_its_largest_value()
    {
        using Packed w = Pack(Gpt2Precision.Float16, 1, 2, [1e6f, -1e6f]);
        Assert.Equal([65504f, -65504f], w.Unpacked.Row(0).ToArray());
    }

    [Fact]
    public void The_levels_of_four_bits_err_less_than_evenly_spaced_ones()
    {
        var random = new Random64(5);
        float[] values = [.. Enumerable.Range(0, 32 * 1024).Select(_ => (float)(Enumerable.Range(0, 12).Sum(_ => random.NextDouble()) - 6))];
        using Packed w = Pack(Gpt2Precision.Int4, 32, 1024, values);
        double error = Math.Sqrt(w.Original.Zip(w.UnpackedValues, (a, b) => Math.Pow(a - b, 2)).Average());
        Assert.InRange(error, 0.05, 0.069); // 0.070 with even levels and the best scale, 0.076 with the largest value's scale
    }

    private static Packed Pack(Gpt2Precision precision, int rows, int columns, float[]? values = null) => new(precision, rows, columns, values ?? Random(rows * columns, 2));

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

    private static int[] Bits(AlignedBuffer buffer) => [.. new Span<float>(buffer.Data, (int)buffer.Length).ToArray().Select(BitConverter.SingleToInt32Bits)];

    /// <summary>A packed matrix with what it was made from and what it holds.</summary>
    private sealed class Packed : IDisposable
    {
        private readonly AlignedBuffer _bytes;
        private readonly AlignedBuffer _unpacked;

        public Packed(Gpt2Precision precision, int rows, int columns, float[] values)
        {
            Original = values;
            _bytes = new AlignedBuffer(PackedMatrix.SizeOf(precision, rows, columns) / sizeof(float));
            _unpacked = new AlignedBuffer((long)rows * columns);
            Matrix = new PackedMatrix((byte*)_bytes.Data, precision, rows, columns);
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

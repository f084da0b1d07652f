namespace PicoGpt.Numerics;

/// <summary>
/// 32 scales in bfloat16, one a column, and 32 rows of 32 codes of 4 bits, that of column j in the low half of byte j and that of
/// column j + 16 in the high half. The value is the scale times the level that the code chooses.
/// </summary>
/// <remarks>
/// The levels are those that give 32 normally distributed values the least square error when the best scale, of either sign, is
/// chosen for them: found by Lloyd's algorithm (S. Lloyd, "Least squares quantization in PCM", 1982). Evenly spaced levels with the
/// best scale err by a tenth more.
/// </remarks>
internal readonly unsafe struct Int4Format : IPackedFormat
{
    private const int ScalesSize = PackedMatrix.Side * sizeof(ushort);
    private const int RowSize = PackedMatrix.Side / 2;

    // Scales are tried around the one that makes the largest value the outermost level, in so many steps of that size.
    private const int Tries = 6;
    private const float TryStep = 0.05f;

    public static int BlockSize => ScalesSize + (PackedMatrix.Side * RowSize);

    /// <summary>The 16 levels, from the least to the greatest.</summary>
    public static ReadOnlySpan<float> Levels =>
    [
        -1f, -0.7884f, -0.6413f, -0.5222f, -0.412f, -0.3058f, -0.2019f, -0.1007f,
        -0.0019f, 0.0982f, 0.2009f, 0.3059f, 0.4144f, 0.5311f, 0.6654f, 0.8437f,
    ];

    public static void Pack(float* block, byte* packed)
    {
        Span<float> values = stackalloc float[PackedMatrix.Side];
        for (int column = 0; column < PackedMatrix.Side; column++)
        {
            for (int row = 0; row < PackedMatrix.Side; row++) values[row] = block[(row * PackedMatrix.Side) + column];
            ushort scale = BestScale(values);
            ((ushort*)packed)[column] = scale;
            float inverse = Inverse(scale);
            int shift = column / RowSize * 4;
            for (int row = 0; row < PackedMatrix.Side; row++)
            {
                byte* code = Codes(packed, row) + (column % RowSize);
                *code = (byte)((*code & (0xF0 >> shift)) | (Nearest(values[row] * inverse) << shift));
            }
        }
    }

    public static float Element(byte* packed, int row, int column) =>
        BFloat16Format.Widen(((ushort*)packed)[column]) * Levels[(Codes(packed, row)[column % RowSize] >> (column / RowSize * 4)) & 15];

    public static TVector Scale<TWidth, TVector>(byte* packed, int column)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct => TWidth.LoadBFloat16((ushort*)packed + column);

    public static TVector Load<TWidth, TVector>(byte* packed, int row, int column, TVector scale)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct => TWidth.Multiply(scale, TWidth.LookUpLevels(Codes(packed, row) + (column % RowSize), column / RowSize * 4));

    private static byte* Codes(byte* packed, int row) => packed + ScalesSize + (row * RowSize);

    private static float Inverse(ushort scale) => (scale & 0x7FFF) == 0 ? 0 : 1 / BFloat16Format.Widen(scale);

    // The level of −1 is the outermost, so a scale of the other sign serves values whose largest is positive.
    private static ushort BestScale(ReadOnlySpan<float> values)
    {
        float largest = 0;
        foreach (float value in values)
        {
            if (MathF.Abs(value) > MathF.Abs(largest)) largest = value;
        }

        (ushort Scale, float Error) best = (0, float.PositiveInfinity);
        for (int i = -Tries; i <= Tries; i++)
        {
            float size = -largest * (1 + (i * TryStep));
            Try(size, values, ref best);
            Try(-size, values, ref best);
        }

        return best.Scale;
    }

    private static void Try(float scale, ReadOnlySpan<float> values, ref (ushort Scale, float Error) best)
    {
        ushort rounded = BFloat16Format.Round(scale);
        float widened = BFloat16Format.Widen(rounded), inverse = Inverse(rounded), error = 0;
        foreach (float value in values)
        {
            float difference = value - (widened * Levels[Nearest(value * inverse)]);
            error += difference * difference;
        }

        if (error < best.Error) best = (rounded, error);
    }

    private static int Nearest(float value)
    {
        int code = 0;
        for (int step = 8; step > 0; step /= 2)
        {
            if (value >= (Levels[code + step - 1] + Levels[code + step]) / 2) code += step;
        }

        return code;
    }
}

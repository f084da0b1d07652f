using System.Runtime.Intrinsics;

namespace PicoGpt.Numerics;

/// <summary>
/// 32 scales in bfloat16, one per column, and 16 rows of 32 codes of 4 bits, that of column j in the low half of byte j and that of
/// column j + 16 in the high half. The value is the scale times the level that the code chooses.
/// </summary>
/// <remarks>
/// The levels are those that give 16 normally distributed values the least square error when the best scale, of either sign, is
/// chosen for them: found by Lloyd's algorithm (S. Lloyd, "Least squares quantization in PCM", 1982). Evenly spaced levels with the
/// best scale err by a twentieth more.
/// </remarks>
internal readonly unsafe struct Int4Format : IPackedFormat
{
    private const int ScalesSize = PackedMatrix.Side * sizeof(ushort);
    private const int RowSize = PackedMatrix.Side / 2;

    // Scales are tried around the one that makes the largest value the outermost level: these shares of it.
    private const int Tries = 12;
    private const float FirstTry = 0.7f;
    private const float TryStep = 0.05f;

    public static int Rows => 16;

    public static int BlockSize => ScalesSize + (Rows * RowSize);

    /// <summary>The 16 levels, from the least to the greatest.</summary>
    public static ReadOnlySpan<float> Levels =>
    [
        -1f, -0.8051f, -0.6661f, -0.5465f, -0.4328f, -0.3198f, -0.2138f, -0.115f,
        -0.0149f, 0.0927f, 0.2049f, 0.3185f, 0.4331f, 0.5536f, 0.6864f, 0.8586f,
    ];

    public static void Pack(float* block, byte* packed)
    {
        for (int column = 0; column < PackedMatrix.Side; column += RowSize)
        {
            Vector512<float> scale = BestScale(block + column);
            for (int i = 0; i < RowSize; i++) ((ushort*)packed)[column + i] = BFloat16Format.Round(scale[i]);
            Vector512<float> inverse = Inverse(scale);
            for (int row = 0; row < Rows; row++)
            {
                Vector512<int> chosen = Nearest(Value(block + column, row) * inverse);
                byte* codes = Codes(packed, row);
                for (int i = 0; i < RowSize; i++) codes[i] = (byte)(column == 0 ? chosen[i] : codes[i] | (chosen[i] << 4));
            }
        }
    }

    public static float Element(byte* packed, int row, int column) =>
        BFloat16Format.Widen(((ushort*)packed)[column]) * Levels[(Codes(packed, row)[column % RowSize] >> (column / RowSize * 4)) & 15];

    public static TVector Scale<TWidth, TVector>(byte* packed, int column)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct => TWidth.LoadBFloat16((ushort*)packed + column);

    public static void Load<TWidth, TVector>(
        byte* packed, int row, int column, TVector leftScale, TVector rightScale, out TVector left, out TVector right)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct
    {
        TWidth.LookUpLevels(Codes(packed, row) + column, out left, out right);
        left = TWidth.Multiply(leftScale, left);
        right = TWidth.Multiply(rightScale, right);
    }

    private static byte* Codes(byte* packed, int row) => packed + ScalesSize + (row * RowSize);

    // Of 16 columns at once: the scale, a bfloat16 in float32, that gives the least square error.
    private static Vector512<float> BestScale(float* columns)
    {
        Vector512<float> largest = Vector512<float>.Zero;
        for (int row = 0; row < Rows; row++)
        {
            Vector512<float> value = Value(columns, row);
            largest = Vector512.ConditionalSelect(Vector512.GreaterThan(Vector512.Abs(value), Vector512.Abs(largest)), value, largest);
        }

        Vector512<float> best = Vector512<float>.Zero, least = Vector512.Create(float.PositiveInfinity);
        for (int i = 0; i < Tries; i++)
        {
            Vector512<float> scale = RoundToBFloat16(largest * -(FirstTry + (i * TryStep))); // the outermost level is −1
            Vector512<float> error = Error(columns, scale);
            Vector512<float> isBetter = Vector512.LessThan(error, least);
            best = Vector512.ConditionalSelect(isBetter, scale, best);
            least = Vector512.ConditionalSelect(isBetter, error, least);
        }

        return best;
    }

    private static Vector512<float> Error(float* columns, Vector512<float> scale)
    {
        Vector512<float> inverse = Inverse(scale), sum = Vector512<float>.Zero;
        for (int row = 0; row < Rows; row++)
        {
            Vector512<float> value = Value(columns, row);
            Vector512<float> difference = value - (scale * NearestLevel(value * inverse));
            sum += difference * difference;
        }

        return sum;
    }

    private static Vector512<float> Value(float* columns, int row) => Vector512.Load(columns + (row * PackedMatrix.Side));

    private static Vector512<float> Inverse(Vector512<float> scale) =>
        Vector512.ConditionalSelect(Vector512.Equals(scale, Vector512<float>.Zero), scale, Vector512<float>.One / scale);

    private static Vector512<float> RoundToBFloat16(Vector512<float> value)
    {
        Vector512<uint> bits = value.AsUInt32();
        Vector512<uint> odd = Vector512.ShiftRightLogical(bits, 16) & Vector512<uint>.One;
        return ((bits + Vector512.Create(0x7FFFu) + odd) & Vector512.Create(0xFFFF0000u)).AsSingle();
    }

    // a code is the number of borders between levels that the value reaches
    private static Vector512<int> Nearest(Vector512<float> value)
    {
        Vector512<int> code = Vector512<int>.Zero;
        for (int i = 1; i < Levels.Length; i++) code -= Vector512.GreaterThanOrEqual(value, Vector512.Create(Border(i))).AsInt32();
        return code;
    }

    // near enough to the level to compare errors: the sum of the steps to it
    private static Vector512<float> NearestLevel(Vector512<float> value)
    {
        Vector512<float> level = Vector512.Create(Levels[0]);
        for (int i = 1; i < Levels.Length; i++)
        {
            Vector512<float> step = Vector512.Create(Levels[i] - Levels[i - 1]);
            level += Vector512.GreaterThanOrEqual(value, Vector512.Create(Border(i))) & step;
        }

        return level;
    }

    private static float Border(int code) => (Levels[code - 1] + Levels[code]) / 2;
}

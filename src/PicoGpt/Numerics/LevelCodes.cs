using System.Runtime.Intrinsics;

namespace PicoGpt.Numerics;

/// <summary>
/// Codes of a few bits that choose one of some unevenly spaced levels, and the scales that go with them: what the formats of 4 and 5 bits
/// have in common.
/// </summary>
/// <remarks>
/// The levels are those that give as many normally distributed values as a column of a block has the least square error when the best
/// scale, of either sign, is chosen for them: found by Lloyd's algorithm (S. Lloyd, "Least squares quantization in PCM", 1982) and rounded
/// to 127ths. Evenly spaced levels with the best scale err by a tenth more.
/// </remarks>
internal static unsafe class LevelCodes
{
    /// <summary>The bytes from one column of a strip to the next: two words of 16 bits.</summary>
    public const int ColumnSize = 2 * sizeof(ushort);

    private const int ScalesSize = PackedMatrix.Side * sizeof(ushort);
    private const int StripSize = PackedMatrix.Side * ColumnSize;
    private const int Lanes = 16;

    // Scales are tried around the one that makes the largest value the outermost level: these shares of it.
    private const int Tries = 12;
    private const float FirstTry = 0.7f;
    private const float TryStep = 0.05f;
    private const float Outermost = -127;

    /// <summary>Bytes of a block.</summary>
    public static int BlockSize(int rows, int stripRows) => ScalesSize + (rows / stripRows * StripSize);

    /// <summary>The code of an element.</summary>
    public static int CodeOf(byte* packed, int row, int column, int stripRows, int bits) =>
        (*Word(packed, row, column, stripRows) >> Shift(row, stripRows, bits)) & ((1 << bits) - 1);

    /// <summary>Packs a block of float32, [rows, 32].</summary>
    public static void Pack(float* block, byte* packed, ReadOnlySpan<sbyte> levels, int rows, int stripRows, int bits)
    {
        new Span<byte>(packed, BlockSize(rows, stripRows)).Clear();
        for (int first = 0; first < PackedMatrix.Side; first += Lanes)
        {
            Vector512<float> scale = BestScale(block + first, levels, rows), inverse = Inverse(scale);
            for (int i = 0; i < Lanes; i++) ((ushort*)packed)[first + i] = BFloat16Format.Round(scale[i]);
            for (int row = 0; row < rows; row++)
            {
                Vector512<int> codes = Nearest(Value(block + first, row) * inverse, levels);
                for (int i = 0; i < Lanes; i++)
                    *Word(packed, row, first + i, stripRows) |= (ushort)(codes[i] << Shift(row, stripRows, bits));
            }
        }
    }

    private static ushort* Word(byte* packed, int row, int column, int stripRows) =>
        (ushort*)(packed + ScalesSize + (row / stripRows * StripSize) + (column * ColumnSize)) + (row % 2);

    private static int Shift(int row, int stripRows, int bits) => row % stripRows / 2 * bits;

    // Of 16 columns at once: the scale, a bfloat16 in float32, that gives the least square error.
    private static Vector512<float> BestScale(float* columns, ReadOnlySpan<sbyte> levels, int rows)
    {
        Vector512<float> largest = Vector512<float>.Zero;
        for (int row = 0; row < rows; row++)
        {
            Vector512<float> value = Value(columns, row);
            largest = Vector512.ConditionalSelect(Vector512.GreaterThan(Vector512.Abs(value), Vector512.Abs(largest)), value, largest);
        }

        Vector512<float> best = Vector512<float>.Zero, least = Vector512.Create(float.PositiveInfinity);
        for (int i = 0; i < Tries; i++)
        {
            Vector512<float> scale = RoundToBFloat16(largest * ((FirstTry + (i * TryStep)) / Outermost));
            Vector512<float> error = Error(columns, scale, levels, rows);
            Vector512<float> isBetter = Vector512.LessThan(error, least);
            best = Vector512.ConditionalSelect(isBetter, scale, best);
            least = Vector512.ConditionalSelect(isBetter, error, least);
        }

        return best;
    }

    private static Vector512<float> Error(float* columns, Vector512<float> scale, ReadOnlySpan<sbyte> levels, int rows)
    {
        Vector512<float> inverse = Inverse(scale), sum = Vector512<float>.Zero;
        for (int row = 0; row < rows; row++)
        {
            Vector512<float> value = Value(columns, row);
            Vector512<float> difference = value - (scale * NearestLevel(value * inverse, levels));
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
    private static Vector512<int> Nearest(Vector512<float> value, ReadOnlySpan<sbyte> levels)
    {
        Vector512<int> code = Vector512<int>.Zero;
        for (int i = 1; i < levels.Length; i++) code -= Vector512.GreaterThanOrEqual(value, Border(levels, i)).AsInt32();
        return code;
    }

    // the sum of the steps to it, which are integers
    private static Vector512<float> NearestLevel(Vector512<float> value, ReadOnlySpan<sbyte> levels)
    {
        Vector512<float> level = Vector512.Create((float)levels[0]);
        for (int i = 1; i < levels.Length; i++)
            level += Vector512.GreaterThanOrEqual(value, Border(levels, i)) & Vector512.Create((float)(levels[i] - levels[i - 1]));
        return level;
    }

    private static Vector512<float> Border(ReadOnlySpan<sbyte> levels, int code) => Vector512.Create((levels[code - 1] + levels[code]) / 2f);
}

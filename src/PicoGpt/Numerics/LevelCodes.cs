using System.Runtime.Intrinsics;

namespace PicoGpt.Numerics;

/// <summary>
/// Codes of a few bits that choose one of some unevenly spaced levels, and the scales that go with them: what the formats of 4 and 5 bits
/// have in common. A plane holds a byte for each of four rows and 32 columns, the rows of a column side by side.
/// </summary>
/// <remarks>
/// The levels are those that give as many normally distributed values as a column of a block has the least square error when the best
/// scale, of either sign, is chosen for them: found by Lloyd's algorithm (S. Lloyd, "Least squares quantization in PCM", 1982) and then, one
/// after the other, among integers. Evenly spaced levels with the best scale err by a tenth more.
/// <para>
/// Processors multiply bytes without a sign by bytes with one and add two such products in 16 bits. So levels are looked up with a bias, and are
/// so small, as is x, that four products fit: 80 · 102 · 4 &lt; 32768. Finer levels or integers of x would err by less than a fiftieth less.
/// </para>
/// </remarks>
internal static unsafe class LevelCodes
{
    /// <summary>What is added to a level, so that none is below zero.</summary>
    public const int Bias = 43;

    /// <summary>The greatest integer of x.</summary>
    public const int Largest = 102;

    /// <summary>Rows of a plane, and its bytes from one column to the next.</summary>
    public const int PlaneRows = 4;

    /// <summary>Bytes of a plane.</summary>
    public const int PlaneSize = PlaneRows * PackedMatrix.Side;

    /// <summary>Rows whose products are added in 16 bits.</summary>
    public const int UnitRows = 2 * PlaneRows;

    /// <summary>Bytes of a unit's levels.</summary>
    public const int UnitSize = 2 * PlaneSize;

    /// <summary>Bytes of a block's scales.</summary>
    public const int ScalesSize = PackedMatrix.Side * sizeof(ushort);

    private const int Lanes = 16;

    // Scales are tried around the one that makes the largest value the outermost level: these shares of it.
    private const int Tries = 12;
    private const float FirstTry = 0.7f;
    private const float TryStep = 0.05f;
    private const float Outermost = -Bias;

    /// <summary>Where the byte of an element is in a strip of planes one after the other.</summary>
    public static int Offset(int row, int column) => (row / PlaneRows * PlaneSize) + (column * PlaneRows) + (row % PlaneRows);

    /// <summary>Finds the scales and codes of a block of float32, [codes / 32, 32].</summary>
    public static void Choose(float* block, ReadOnlySpan<byte> levels, ushort* scales, Span<byte> codes)
    {
        int rows = codes.Length / PackedMatrix.Side;
        for (int first = 0; first < PackedMatrix.Side; first += Lanes)
        {
            Vector512<float> scale = BestScale(block + first, levels, rows), inverse = Inverse(scale);
            for (int i = 0; i < Lanes; i++) scales[first + i] = BFloat16Format.Round(scale[i]);
            for (int row = 0; row < rows; row++)
            {
                Vector512<int> nearest = Nearest(Value(block + first, row) * inverse, levels);
                for (int i = 0; i < Lanes; i++) codes[(row * PackedMatrix.Side) + first + i] = (byte)nearest[i];
            }
        }
    }

    // Of 16 columns at once: the scale, a bfloat16 in float32, that gives the least square error.
    private static Vector512<float> BestScale(float* columns, ReadOnlySpan<byte> levels, int rows)
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

    private static Vector512<float> Error(float* columns, Vector512<float> scale, ReadOnlySpan<byte> levels, int rows)
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
    private static Vector512<int> Nearest(Vector512<float> value, ReadOnlySpan<byte> levels)
    {
        Vector512<int> code = Vector512<int>.Zero;
        for (int i = 1; i < levels.Length; i++) code -= Vector512.GreaterThanOrEqual(value, Border(levels, i)).AsInt32();
        return code;
    }

    // the sum of the steps to it, which are integers
    private static Vector512<float> NearestLevel(Vector512<float> value, ReadOnlySpan<byte> levels)
    {
        Vector512<float> level = Vector512.Create((float)(levels[0] - Bias));
        for (int i = 1; i < levels.Length; i++)
            level += Vector512.GreaterThanOrEqual(value, Border(levels, i)) & Vector512.Create((float)(levels[i] - levels[i - 1]));
        return level;
    }

    private static Vector512<float> Border(ReadOnlySpan<byte> levels, int code) => Vector512.Create(((levels[code - 1] + levels[code]) / 2f) - Bias);
}

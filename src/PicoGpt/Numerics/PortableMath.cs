using System.Runtime.Intrinsics;

namespace PicoGpt.Numerics;

/// <summary>
/// Exponential and logarithm in double precision out of additions, multiplications and divisions alone, which IEEE 754 fixes to the
/// last bit. Those of <see cref="Math"/> are the C library's, whose last bit depends on the system and on the processor.
/// </summary>
internal static class PortableMath
{
    /// <summary>ln 2: nats in a bit.</summary>
    public const double Ln2 = 0.69314718055994531;

    private const double Log2E = 1.4426950408889634;

    // ln 2 in two parts; the first has so few bits that its product with an exponent is exact.
    private const double Ln2High = 0.693147180369123816490;
    private const double Ln2Low = 1.90821492927058770002e-10;

    // Beyond, the power of two would not be a normal number.
    private const double MaxArgument = 708;

    // Of eʳ, the highest degree first.
    private static ReadOnlySpan<double> Taylor =>
    [
        1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720, 1.0 / 120,
        1.0 / 24, 1.0 / 6, 0.5, 1, 1,
    ];

    /// <summary>
    /// <c>eˣ</c>, 0 below −708 and infinite above 708. As <c>x = n·ln 2 + r</c>, |r| ≤ ½ ln 2, it is the Taylor polynomial of
    /// <c>eʳ</c>, of degree 13, times <c>2ⁿ</c>.
    /// </summary>
    public static double Exp(double x)
    {
        if (double.IsNaN(x)) return x;
        if (x < -MaxArgument) return 0;
        if (x > MaxArgument) return double.PositiveInfinity;
        double n = Math.Round(x * Log2E);
        double r = x - (n * Ln2High) - (n * Ln2Low);
        double p = Taylor[0];
        foreach (double coefficient in Taylor[1..]) p = (p * r) + coefficient;
        return p * BitConverter.Int64BitsToDouble(((long)n + 1023) << 52);
    }

    /// <summary><c>eˣ</c> in each lane, to the same bits as one by one, where no x is positive.</summary>
    public static Vector256<double> Exp(Vector256<double> x)
    {
        // So large a number has no room for a fraction: adding it rounds, and leaves n in the lowest bits.
        var rounder = Vector256.Create(6755399441055744.0); // 1.5 · 2⁵²
        Vector256<double> shifted = (x * Log2E) + rounder;
        Vector256<double> n = shifted - rounder;
        Vector256<double> r = x - (n * Ln2High) - (n * Ln2Low);
        var p = Vector256.Create(Taylor[0]);
        foreach (double coefficient in Taylor[1..]) p = (p * r) + Vector256.Create(coefficient);
        Vector256<double> power = Vector256.ShiftLeft(shifted.AsInt64() + Vector256.Create(1023L), 52).AsDouble();
        return Vector256.ConditionalSelect(Vector256.LessThan(x, Vector256.Create(-MaxArgument)), Vector256<double>.Zero, p * power);
    }

    /// <summary>
    /// The natural logarithm of a positive normal number. As <c>x = 2ⁿ·m</c>, √½ ≤ m &lt; √2, and <c>f = (m − 1)/(m + 1)</c>, it is
    /// <c>n·ln 2 + 2(f + f³/3 + f⁵/5 + …)</c>, up to <c>f²¹</c>.
    /// </summary>
    public static double Log(double x)
    {
        if (!double.IsFinite(x)) return x;
        long bits = BitConverter.DoubleToInt64Bits(x);
        long n = (bits >> 52) - 1023;
        double m = BitConverter.Int64BitsToDouble((bits & ((1L << 52) - 1)) | (1023L << 52));
        if (m >= 1.4142135623730951)
        {
            m /= 2;
            n++;
        }

        double f = (m - 1) / (m + 1), square = f * f;
        double sum = 0;
        for (int odd = 21; odd > 1; odd -= 2) sum = (sum + (1.0 / odd)) * square;
        return (n * Ln2High) + ((2 * (f + (f * sum))) + (n * Ln2Low));
    }
}

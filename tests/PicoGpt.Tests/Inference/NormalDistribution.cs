namespace PicoGpt.Tests.Inference;

/// <summary>The normal distribution in double precision, from its series and its continued fraction.</summary>
internal static class NormalDistribution
{
    /// <summary>Φ(x), to a relative error of some 10⁻¹³ on either side.</summary>
    public static double Of(double x) => x < 0 ? Tail(-x) : 1 - Tail(x);

    // Φ(−x) of x ≥ 0
    private static double Tail(double x)
    {
        double density = Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI);
        if (x > 2.5)
        {
            double fraction = x;
            for (int k = 400; k > 0; k--) fraction = x + (k / fraction);
            return density / fraction;
        }

        double term = x, sum = x;
        for (int k = 1; k < 200; k++) sum += term *= x * x / ((2 * k) + 1);
        return 0.5 - (density * sum);
    }
}

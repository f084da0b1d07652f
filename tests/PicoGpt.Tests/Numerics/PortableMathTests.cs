using System.Runtime.Intrinsics;
using PicoGpt.Numerics;
using Xunit;

namespace PicoGpt.Tests.Numerics;

public sealed class PortableMathTests
{
    [Fact]
    public void Exponentials_and_logarithms_are_right_to_the_last_digits()
    {
        var random = new Random(1);
        for (int i = 0; i < 20_000; i++)
        {
            double x = (random.NextDouble() - 0.5) * (i % 2 == 0 ? 1400 : 20);
            AssertClose(Math.Exp(x), PortableMath.Exp(x), 4e-16);
            double y = Math.Exp(x);
            AssertClose(Math.Log(y), PortableMath.Log(y), 4e-16);
        }
    }

    [Fact]
    public void What_is_exact_is_exact()
    {
        Assert.Equal(1, PortableMath.Exp(0));
        Assert.Equal(0, PortableMath.Log(1));
        Assert.Equal(0, PortableMath.Exp(double.NegativeInfinity));
        Assert.Equal(0, PortableMath.Exp(-1000));
        Assert.Equal(double.PositiveInfinity, PortableMath.Exp(1000));
        Assert.Equal(double.PositiveInfinity, PortableMath.Log(double.PositiveInfinity));
        Assert.True(double.IsNaN(PortableMath.Exp(double.NaN)));
        Assert.True(double.IsNaN(PortableMath.Log(double.NaN)));
        for (int n = -1000; n <= 1000; n += 50) AssertClose(n * Math.Log(2), PortableMath.Log(Math.ScaleB(1, n)), 2e-16);
    }

    [Fact]
    public void Four_at_once_are_the_bits_of_one_by_one()
    {
        var random = new Random(2);
        double[] edges = [0, -0.0, -708, Math.BitDecrement(-708), -1e300, double.NegativeInfinity, double.NaN, -Math.Log(2) / 2];
        double[] xs = [.. edges, .. Enumerable.Range(0, 20_000).Select(i => -random.NextDouble() * (i % 2 == 0 ? 710 : 5))];
        for (int i = 0; i < xs.Length; i += 4)
        {
            Vector256<double> four = PortableMath.Exp(Vector256.Create<double>(xs.AsSpan(i, 4)));
            for (int lane = 0; lane < 4; lane++) Assert.Equal(PortableMath.Exp(xs[i + lane]), four[lane]);
        }
    }

    private static void AssertClose(double expected, double actual, double relative) =>
        Assert.True(Math.Abs(expected - actual) <= relative * Math.Abs(expected), $"{expected:R} {actual:R}");
}

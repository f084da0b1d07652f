namespace PicoGpt.Numerics;

/// <summary>
/// Random numbers of the normal distribution with mean 0 and deviation 1, the same on every machine: G. Marsaglia's polar method, two from
/// a point in the unit circle.
/// </summary>
internal sealed class NormalRandom(ulong seed)
{
    private readonly Random64 _random = new(seed);
    private double? _second;

    public double Next()
    {
        if (_second is { } second)
        {
            _second = null;
            return second;
        }

        (double first, _second) = Pair(_random);
        return first;
    }

    /// <summary>Two numbers that are independent of each other.</summary>
    public static (double First, double Second) Pair(Random64 random)
    {
        double x, y, square;
        do
        {
            (x, y) = ((2 * random.NextDouble()) - 1, (2 * random.NextDouble()) - 1);
            square = (x * x) + (y * y);
        }
        while (square is 0 or >= 1);

        double scale = Math.Sqrt(-2 * PortableMath.Log(square) / square);
        return (x * scale, y * scale);
    }
}

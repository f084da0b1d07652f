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

        double x, y, square;
        do
        {
            (x, y) = ((2 * _random.NextDouble()) - 1, (2 * _random.NextDouble()) - 1);
            square = (x * x) + (y * y);
        }
        while (square is 0 or >= 1);

        double scale = Math.Sqrt(-2 * PortableMath.Log(square) / square);
        _second = y * scale;
        return x * scale;
    }
}

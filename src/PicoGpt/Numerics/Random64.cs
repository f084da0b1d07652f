namespace PicoGpt.Numerics;

/// <summary>
/// A small random generator with the same numbers on every machine and runtime: SplitMix64 (G. L. Steele, D. Lea,
/// C. H. Flood, "Fast splittable pseudorandom number generators", 2014).
/// </summary>
internal sealed class Random64(ulong seed)
{
    private ulong _state = seed;

    /// <summary>A generator that gives the same numbers from here on.</summary>
    public Random64 Copy() => new(_state);

    /// <summary>Begins anew, from another seed.</summary>
    public void Restart(ulong seed) => _state = seed;

    public ulong Next()
    {
        ulong z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>A number from 0 (inclusive) to 1 (exclusive), of 53 random bits.</summary>
    public double NextDouble() => (Next() >> 11) * (1.0 / (1L << 53));
}

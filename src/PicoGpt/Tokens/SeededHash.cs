using System.Runtime.CompilerServices;

namespace PicoGpt.Tokens;

/// <summary>
/// Hashes by numbers that every process draws for itself, so that nobody can write a file whose entries fall into the same slots: the upper and
/// the lower half of a product, combined.
/// </summary>
internal readonly struct SeededHash
{
    /// <summary>That of this process. A table keeps its own copy: code that is compiled at once looks a static one up every time.</summary>
    public static readonly SeededHash OfThisProcess = new((ulong)Random.Shared.NextInt64(), (ulong)Random.Shared.NextInt64() | (1UL << 63) | 1);

    private readonly ulong _multiplier;

    private SeededHash(ulong seed, ulong multiplier) => (Seed, _multiplier) = (seed, multiplier);

    /// <summary>What a hash begins with.</summary>
    public ulong Seed { get; }

    /// <summary>Mixes the bits of a number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Fold(ulong value)
    {
        ulong high = Math.BigMul(value, _multiplier, out ulong low);
        return high ^ low;
    }
}

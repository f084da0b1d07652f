using System.Runtime.CompilerServices;

namespace PicoGpt.Tokens;

/// <summary>
/// Hashes by numbers that every process draws for itself, so that nobody can write a file whose entries fall into the same slots: the upper and
/// the lower half of a product, combined, or, where a number is a whole key, the uppermost bits of the lower half.
/// </summary>
internal readonly struct SeededHash
{
    /// <summary>That of this process. A table keeps its own copy: code that is compiled at once looks a static one up every time.</summary>
    public static readonly SeededHash OfThisProcess = new((ulong)Random.Shared.NextInt64(), (ulong)Random.Shared.NextInt64() | (1UL << 63) | 1);

    private readonly ulong _multiplier;

    private SeededHash(ulong seed, ulong multiplier) => (Seed, _multiplier) = (seed, multiplier);

    /// <summary>What a hash begins with.</summary>
    public ulong Seed { get; }

    /// <summary>The slot of a number in a table: the bits of a product that are left of a shift. Two numbers share one as seldom as chance has it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int SlotOf(ulong value, int shift) => (int)((value * _multiplier) >> shift);

    /// <summary>Mixes the bits of a number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Fold(ulong value)
    {
        // Math.BigMul by halves: it takes an instruction that not every processor has, so what it is inlined into cannot be compiled ahead of time.
        ulong low = (uint)value, high = value >> 32, lowFactor = (uint)_multiplier, highFactor = _multiplier >> 32;
        ulong middle = (high * lowFactor) + ((low * lowFactor) >> 32), rest = (low * highFactor) + (uint)middle;
        return ((high * highFactor) + (middle >> 32) + (rest >> 32)) ^ (value * _multiplier);
    }
}

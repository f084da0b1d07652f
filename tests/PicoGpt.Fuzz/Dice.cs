using PicoGpt.Numerics;

namespace PicoGpt.Fuzz;

/// <summary>The choices of one case: the same number of the case gives the same choices on every machine.</summary>
internal sealed class Dice(ulong seed)
{
    // Where lengths, offsets and counts go wrong.
    private static readonly ulong[] Edges =
    [
        0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 31, 32, 63, 64, 127, 128, 255, 256, 257, 4095, 4096, 32767, 32768, 65535, 65536, 99_999, 100_000,
        (1UL << 24) - 1, 1UL << 24, (1UL << 31) - 1, 1UL << 31, (1UL << 31) + 1, (1UL << 32) - 1, 1UL << 32, (1UL << 32) + 1,
        (1UL << 53) + 1, (1UL << 62) - 1, 1UL << 62, (1UL << 63) - 1, 1UL << 63, (1UL << 63) + 1, ulong.MaxValue - 1, ulong.MaxValue,
        unchecked((ulong)int.MinValue), unchecked((ulong)-4096L),
    ];

    private readonly Random64 _random = new(seed);

    /// <summary>A number from 0 to one less than the limit.</summary>
    public int Next(int limit) => (int)(_random.Next() % (ulong)limit);

    public bool Chance(double probability) => _random.NextDouble() < probability;

    public T Pick<T>(IReadOnlyList<T> choices) => choices[Next(choices.Count)];

    /// <summary>A number at which something may go wrong, or near it, or any.</summary>
    public ulong Number() => Next(8) switch
    {
        0 => _random.Next() >> Next(64),
        1 => Pick(Edges) + (ulong)Next(5) - 2,
        _ => Pick(Edges),
    };

    public byte[] Bytes(int count)
    {
        byte[] bytes = new byte[count];
        for (int i = 0; i < count; i++) bytes[i] = (byte)_random.Next();
        return bytes;
    }
}

using System.Buffers.Binary;
using PicoGpt.Numerics;

namespace PicoGpt.Fuzz;

/// <summary>
/// The choices of one case: the same number of the case gives the same choices on every machine. Choices can be given too, as bytes, so
/// that a fuzzer who changes bytes changes choices, and what it makes of them is still nearly a file of the format (R. Padhye et al.,
/// "Semantic fuzzing with Zest", 2019).
/// </summary>
internal sealed class Dice
{
    private const int MaxTaken = 4096;


    // Where lengths, offsets and counts go wrong.
    private static readonly ulong[] Edges =
    [
        0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 31, 32, 63, 64, 127, 128, 255, 256, 257, 4095, 4096, 32767, 32768, 65535, 65536, 99_999, 100_000,
        (1UL << 24) - 1, 1UL << 24, (1UL << 31) - 1, 1UL << 31, (1UL << 31) + 1, (1UL << 32) - 1, 1UL << 32, (1UL << 32) + 1,
        (1UL << 53) + 1, (1UL << 62) - 1, 1UL << 62, (1UL << 63) - 1, 1UL << 63, (1UL << 63) + 1, ulong.MaxValue - 1, ulong.MaxValue,
        unchecked((ulong)int.MinValue), unchecked((ulong)-4096L),
    ];

    private readonly Random64 _random;
    private readonly ReadOnlyMemory<byte> _given;
    private readonly List<byte> _taken = [];
    private int _at;

    /// <summary>The choices of a number.</summary>
    public Dice(ulong seed)
        : this(default, seed)
    {
    }

    /// <param name="given">Choices, each of 4 bytes.</param>
    /// <param name="seed">Makes those that are not given.</param>
    public Dice(ReadOnlyMemory<byte> given, ulong seed) => (_given, _random) = (given, new Random64(seed));

    /// <summary>The first choices that were taken, which give the same case again.</summary>
    public byte[] Taken => [.. _taken];

    /// <summary>A number from 0 to one less than the limit.</summary>
    public int Next(int limit) => (int)(Draw() % (ulong)limit);

    public bool Chance(double probability) => (uint)Draw() < probability * (1UL << 32);

    public T Pick<T>(IReadOnlyList<T> choices) => choices[Next(choices.Count)];

    /// <summary>A number at which something may go wrong, or near it, or any.</summary>
    public ulong Number() => Next(8) switch
    {
        0 => Draw() >> Next(64),
        1 => Pick(Edges) + (ulong)Next(5) - 2,
        _ => Pick(Edges),
    };

    public byte[] Bytes(int count)
    {
        byte[] bytes = new byte[count];
        for (int i = 0; i < count; i++) bytes[i] = (byte)Draw();
        return bytes;
    }

    // 32 bits of choice in both halves, because one half says how much and the other which
    private ulong Draw()
    {
        Span<byte> choice = stackalloc byte[sizeof(uint)];
        if (_at + choice.Length <= _given.Length) _given.Span.Slice(_at, choice.Length).CopyTo(choice);
        else BinaryPrimitives.WriteUInt32LittleEndian(choice, (uint)_random.Next());
        _at += choice.Length;
        if (_taken.Count < MaxTaken) _taken.AddRange(choice);
        return BinaryPrimitives.ReadUInt32LittleEndian(choice) * 0x1_0000_0001UL;
    }
}

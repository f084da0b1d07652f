using System.Runtime.InteropServices;
using SharpFuzz.Common;

namespace PicoGpt.Fuzz;

/// <summary>
/// How often each branch of the engine was taken: SharpFuzz writes the counts into an assembly, and AFL's rule says which of them are news
/// (a branch that was never taken before, or about twice as often). An engine without those counts has no news.
/// </summary>
internal sealed unsafe class CoverageMap : IDisposable
{
    /// <summary>The length that SharpFuzz counts in.</summary>
    private const int Length = 1 << 16;

    private readonly byte* _counts = (byte*)NativeMemory.AllocZeroed(Length);

    /// <summary>Makes this the map in which the process counts: instrumented code must have one as long as it runs.</summary>
    public CoverageMap() => Trace.SharedMem = _counts;

    private Span<byte> Counts => new(_counts, Length);

    /// <summary>Begins a case.</summary>
    public void Clear()
    {
        Counts.Clear();
        Trace.PrevLocation = 0;
    }

    /// <summary>Adds what the case took to what was taken before.</summary>
    /// <param name="seen">Of each branch, the numbers of times that it was taken, a bit each; as long as the map.</param>
    /// <returns>Whether the case took anything new.</returns>
    public bool AddTo(byte[] seen)
    {
        bool isNew = false;
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(Counts);
        for (int word = 0; word < words.Length; word++)
        {
            if (words[word] == 0) continue;
            for (int i = word * sizeof(ulong); i < (word + 1) * sizeof(ulong); i++)
            {
                byte times = TimesOf(_counts[i]);
                isNew |= (times & ~seen[i]) != 0;
                seen[i] |= times;
            }
        }

        return isNew;
    }

    /// <summary>A place for what was seen.</summary>
    public static byte[] Nothing() => new byte[Length];

    public void Dispose()
    {
        if (Trace.SharedMem == _counts) Trace.SharedMem = null;
        NativeMemory.Free(_counts);
    }

    // 1, 2, 3, 4-7, 8-15, 16-31, 32-127, 128 and more times
    private static byte TimesOf(byte count) => count switch
    {
        0 => 0,
        1 => 1,
        2 => 2,
        3 => 4,
        <= 7 => 8,
        <= 15 => 16,
        <= 31 => 32,
        <= 127 => 64,
        _ => 128,
    };
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace PicoGpt.Numerics;

/// <summary>Asks for packed weights that stream by, each read once a pass, some time before they are needed.</summary>
/// <remarks>
/// Past the caches, weights push out nothing that the rest of the pass reads. But on Intel's processors what is asked for so has only the few line
/// buffers of the first-level cache, and half of what memory gives is left; into the second-level cache, which has several times as many, it
/// comes as fast as memory serves it (measured on Emerald Rapids, one row: Int8 2.3 times as fast, Int4 2.6, BFloat16 2.1, Float32, of which
/// the processor asks for more by itself, 1.2 times; 16 rows in Int8 2.8 times).
/// </remarks>
internal static unsafe class StreamAhead
{
    private const int LineLength = 64;

    // What was measured to be fastest: from 4 to 16 KiB there is little between them.
    private const int BytesToSecondLevel = 8192;

    // Whether weights are asked for into the second-level cache.
    private static bool IsToSecondLevel { get; } = ProcessorKind.IsIntel;

    /// <summary>Asks for what will be read.</summary>
    /// <param name="next">What is read now.</param>
    /// <param name="count">Bytes.</param>
    /// <param name="bytesPast">How far ahead it is asked for past the caches.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Ask(byte* next, int count, int bytesPast)
    {
        if (IsToSecondLevel) AskToSecondLevel(next, count);
        else if (Sse.IsSupported)
        {
            for (int i = 0; i < count; i += LineLength) Sse.PrefetchNonTemporal(next + bytesPast + i);
        }
    }

    /// <summary>Asks for what will be read into the second-level cache, where weights are asked for so; elsewhere for nothing.</summary>
    /// <param name="next">What is read now.</param>
    /// <param name="count">Bytes.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AskToSecondLevel(void* next, int count)
    {
        if (!IsToSecondLevel) return;
        for (int i = 0; i < count; i += LineLength) Sse.Prefetch1((byte*)next + BytesToSecondLevel + i);
    }
}

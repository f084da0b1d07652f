using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace PicoGpt.Numerics;

/// <summary>
/// Asks memory for pieces of rows before they are walked, in the order in which they lie. A walk down eight rows at once reads from eight
/// places in turn, which memory serves more slowly than one after the other.
/// </summary>
internal unsafe struct LookAhead
{
    private const int LineLength = 64 / sizeof(float);

    private readonly nint _stride;
    private readonly nint _count;
    private float* _row;
    private nint _at;

    /// <param name="first">The piece of the first row.</param>
    /// <param name="stride">The distance between two rows, in elements.</param>
    /// <param name="count">The elements of a piece.</param>
    public LookAhead(float* first, nint stride, nint count)
    {
        _row = first;
        _stride = stride;
        _count = count;
    }

    /// <summary>Asks for the next elements, eight vectors at a time; what is asked for beyond the end of a matrix does not matter.</summary>
    /// <param name="lanes">Elements of a vector: 16, 8 or 4.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Ask8(int lanes)
    {
        if (!Sse.IsSupported) return;
        float* next = _row + _at;
        for (int i = 0; i < 8 * lanes; i += LineLength) Sse.Prefetch1(next + i);
        _at += 8 * lanes;
        if (_at < _count) return;
        _at = 0;
        _row += _stride;
    }
}

using System.Runtime.CompilerServices;
using PicoGpt.Files;
using PicoGpt.Numerics;

namespace PicoGpt.Weights;

/// <summary>A piece of a matrix that is copied: some rows of one in float32, or some bytes of a packed one.</summary>
internal readonly struct ResidentBand
{
    // A block of panels has as many.
    private const int Rows = 32;

    private const int Bytes = 1 << 18;

    private readonly Gpt2Weight? _weight;
    private readonly ReadOnlyMemory<byte> _packed;
    private readonly long _place; // where the copy of the matrix begins, or of the bytes
    private readonly int _row;

    private ResidentBand(Gpt2Weight weight, long place, int row) => (_weight, _place, _row) = (weight, place, row);

    private ResidentBand(ReadOnlyMemory<byte> packed, long place) => (_packed, _place) = (packed, place);

    /// <summary>The pieces of a matrix in float32.</summary>
    /// <param name="weight">The matrix.</param>
    /// <param name="place">Where its copy begins, in bytes.</param>
    public static IEnumerable<ResidentBand> Of(Gpt2Weight weight, long place)
    {
        for (int row = 0; row < weight.Shape[0]; row += Rows) yield return new ResidentBand(weight, place, row);
    }

    /// <summary>The pieces of a packed matrix.</summary>
    /// <param name="packed">The matrix.</param>
    /// <param name="place">Where its copy begins, in bytes.</param>
    public static IEnumerable<ResidentBand> Of(ReadOnlyMemory<byte> packed, long place)
    {
        for (int at = 0; at < packed.Length; at += Bytes) yield return new ResidentBand(packed[at..Math.Min(at + Bytes, packed.Length)], place + at);
    }

    /// <summary>Copies it.</summary>
    /// <param name="memory">Where the copies of all matrices lie.</param>
    /// <exception cref="Gpt2Exception">The weights are not as they should be, or their file is being overwritten.</exception>
    /// <exception cref="ObjectDisposedException">The model is closed.</exception>
    public unsafe void Copy(byte* memory)
    {
        if (_weight is not null) CopyRows(_weight, memory + _place);
        else Copy(_packed, memory + _place);
    }

    private static unsafe void Copy<T>(ReadOnlyMemory<T> source, byte* target)
        where T : unmanaged
    {
        using var held = new HeldMemory<T>(source);
        held.Span.CopyTo(new Span<T>(target, held.Length));
        held.ThrowIfChanged();
    }

    private unsafe void CopyRows(Gpt2Weight weight, byte* target)
    {
        int columns = weight.Shape[1], rows = Math.Min(Rows, weight.Shape[0] - _row);
        ReadOnlyMemory<float> source = weight.Values.Slice(_row * columns, rows * columns);
        if (ResidentWeights.IsWalkedByRows(weight.Leaf)) Copy(source, target + ((nint)_row * columns * sizeof(float)));
        else CopyPanels(source, rows, ResidentWeights.PanelsOf(weight, target));
    }

    // A block of a panel is written from end to end, which memory takes fastest; the rows stay in a cache until the last panel has its part.
    // Compiled with all optimizations at once, since it runs once.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private unsafe void CopyPanels(ReadOnlyMemory<float> source, int rows, PackedMatrix panels) // [rows, n_out]
    {
        const int Side = PackedMatrix.Side;
        using var held = new HeldMemory<float>(source);
        for (int panel = 0; panel < panels.Panels; panel++)
        {
            int columns = Math.Min(Side, panels.Columns - (panel * Side));
            float* row = held.Start + (panel * Side), block = (float*)panels.PanelPointer(panel) + (_row * Side);
            for (int i = 0; i < rows; i++, row += panels.Columns, block += Side)
            {
                var target = new Span<float>(block, Side);
                new ReadOnlySpan<float>(row, columns).CopyTo(target);
                target[columns..].Clear();
            }

            new Span<float>(block, (Rows - rows) * Side).Clear(); // what fills up the last block
        }

        held.ThrowIfChanged();
    }
}

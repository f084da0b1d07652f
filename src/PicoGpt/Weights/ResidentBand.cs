using System.Runtime.CompilerServices;
using PicoGpt.Files;
using PicoGpt.Numerics;

namespace PicoGpt.Weights;

/// <summary>Some rows of a matrix that is copied.</summary>
/// <param name="Weight">The matrix.</param>
/// <param name="Place">Where its copy begins, in bytes.</param>
/// <param name="Row">The first of the rows.</param>
internal readonly record struct ResidentBand(Gpt2Weight Weight, long Place, int Row)
{
    /// <summary>As many rows as a block of panels has.</summary>
    public const int Rows = 32;

    /// <summary>Copies the rows.</summary>
    /// <param name="memory">Where the copies of all matrices lie.</param>
    /// <exception cref="Gpt2Exception">The weights are not as they should be, or their file is being overwritten.</exception>
    /// <exception cref="ObjectDisposedException">The model is closed.</exception>
    public unsafe void Copy(byte* memory)
    {
        int columns = Weight.Shape[1], rows = Math.Min(Rows, Weight.Shape[0] - Row);
        using var held = new HeldMemory<float>(Weight.Values.Slice(Row * columns, rows * columns));
        byte* target = memory + Place;
        if (ResidentWeights.IsWalkedByRows(Weight.Leaf)) held.Span.CopyTo(new Span<float>((float*)target + ((nint)Row * columns), held.Length));
        else CopyPanels(held.Start, rows, ResidentWeights.PanelsOf(Weight, target));
        held.ThrowIfChanged();
    }

    // A block of a panel is written from end to end, which memory takes fastest; the rows stay in a cache until the last panel has its part.
    // Compiled with all optimizations at once, since it runs once.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private unsafe void CopyPanels(float* source, int rows, PackedMatrix panels) // [rows, n_out]
    {
        const int Side = PackedMatrix.Side;
        for (int panel = 0; panel < panels.Panels; panel++)
        {
            int columns = Math.Min(Side, panels.Columns - (panel * Side));
            float* row = source + (panel * Side), block = (float*)panels.PanelPointer(panel) + (Row * Side);
            for (int i = 0; i < rows; i++, row += panels.Columns, block += Side)
            {
                var target = new Span<float>(block, Side);
                new ReadOnlySpan<float>(row, columns).CopyTo(target);
                target[columns..].Clear();
            }

            new Span<float>(block, (Rows - rows) * Side).Clear(); // what fills up the last block
        }
    }
}

namespace PicoGpt.Numerics;

/// <summary>
/// How formats of 16 bits order a row of a panel: as 16 integers of 32 bits, whose lower bits are the columns of its left half and whose
/// upper bits those of its right. One load gives a vector of both, and what stands in the upper bits need not be moved.
/// </summary>
internal static unsafe class HalfPairs
{
    private const int Half = PackedMatrix.Side / 2;

    /// <summary>Where an element of a block of rows is, counted in elements.</summary>
    public static int IndexOf(int element)
    {
        int column = element % PackedMatrix.Side;
        return element - column + (2 * (column % Half)) + (column / Half);
    }

    /// <summary>The pairs from a column of the left half on, and from the same of the right.</summary>
    public static uint* Of(byte* block, int row, int column) => (uint*)block + (row * Half) + column;
}

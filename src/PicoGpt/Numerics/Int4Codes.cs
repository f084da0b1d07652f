using System.Runtime.CompilerServices;

namespace PicoGpt.Numerics;

/// <summary>
/// Codes of 4 bits, 32 rows in a block. A strip has eight rows in one plane: the first four in the lower bits of its bytes, the others in the
/// upper.
/// </summary>
internal readonly unsafe struct Int4Codes : ILevelCodes
{
    private const int Bits = 4;

    public static int Rows => 32;

    public static int StripRows => LevelCodes.UnitRows;

    public static int StripSize => LevelCodes.PlaneSize;

    public static ReadOnlySpan<byte> Table => [0, 8, 16, 22, 27, 31, 35, 39, 43, 47, 51, 55, 59, 64, 70, 77];

    public static void Put(byte* strip, int row, int column, int code) => strip[Offset(row, column)] |= (byte)(code << Shift(row));

    public static int Code(byte* strip, int row, int column) => (strip[Offset(row, column)] >> Shift(row)) & ((1 << Bits) - 1);

    // What other rows leave above the bits that are looked up does not matter.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static VectorPair<TVector> Unit<TWidth, TVector>(byte* codes, int index, VectorPair<TVector> table)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct
    {
        TVector plane = TWidth.Load((float*)codes);
        return new VectorPair<TVector>(TWidth.LookUp4(table, plane), TWidth.LookUp4(table, TWidth.ShiftWords(plane, Bits)));
    }

    private static int Offset(int row, int column) => LevelCodes.Offset(row % LevelCodes.PlaneRows, column);

    private static int Shift(int row) => row / LevelCodes.PlaneRows * Bits;
}

using System.Runtime.CompilerServices;

namespace PicoGpt.Numerics;

/// <summary>
/// Codes of 5 bits, 96 rows in a block. A strip has 24 rows in four planes: the lower five bits of its bytes are the first 16 rows; the upper
/// three of the first plane, and two of the second above them, are the next four, and so are those of the third and the fourth the last four.
/// The highest bits of the second and the fourth are zero.
/// </summary>
internal readonly unsafe struct Int5Codes : ILevelCodes
{
    private const int Planes = 4;
    private const int WholeRows = Planes * LevelCodes.PlaneRows; // of a strip, whose codes are not divided
    private const int Bits = 5;
    private const int UpperBits = 3; // of a byte, and the lower of a divided code

    public static int Rows => 96;

    public static int StripRows => 24;

    public static int StripSize => Planes * LevelCodes.PlaneSize;

    public static ReadOnlySpan<byte> Table =>
    [
        0, 5, 10, 14, 17, 20, 23, 25, 27, 29, 31, 33, 35, 37, 39, 41,
        43, 45, 47, 49, 51, 53, 55, 57, 59, 61, 63, 66, 69, 72, 76, 80,
    ];

    public static void Put(byte* strip, int row, int column, int code)
    {
        byte* place = strip + Offset(row, column);
        if (row < WholeRows)
        {
            *place |= (byte)code;
            return;
        }

        *place |= (byte)(code << Bits);
        place[LevelCodes.PlaneSize] |= (byte)(code >> UpperBits << Bits);
    }

    public static int Code(byte* strip, int row, int column)
    {
        byte* place = strip + Offset(row, column);
        int code = row < WholeRows ? *place : (*place >> Bits) | (place[LevelCodes.PlaneSize] >> Bits << UpperBits);
        return code & ((1 << Bits) - 1);
    }

    // What other rows leave above the bits that are looked up does not matter.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static VectorPair<TVector> Unit<TWidth, TVector>(byte* codes, int index, VectorPair<TVector> table)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct
    {
        if (index < 2)
        {
            float* planes = (float*)(codes + (index * LevelCodes.UnitSize));
            return new VectorPair<TVector>(TWidth.LookUp5(table, TWidth.Load(planes)), TWidth.LookUp5(table, TWidth.Load(planes + (LevelCodes.PlaneSize / sizeof(float)))));
        }

        return new VectorPair<TVector>(
            TWidth.LookUp5(table, Divided<TWidth, TVector>(codes)), TWidth.LookUp5(table, Divided<TWidth, TVector>(codes + LevelCodes.UnitSize)));
    }

    // the codes of which a part stands in each of two planes
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Divided<TWidth, TVector>(byte* codes)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct => TWidth.JoinBits(
            TWidth.ShiftWords(TWidth.Load((float*)codes), Bits),
            TWidth.ShiftWords(TWidth.Load((float*)(codes + LevelCodes.PlaneSize)), Bits - UpperBits));

    // of the byte of a whole code, or of the lower bits of a divided one, whose upper bits stand in the next plane
    private static int Offset(int row, int column)
    {
        int divided = row - WholeRows;
        return LevelCodes.Offset(divided < 0 ? row : (divided / LevelCodes.PlaneRows * LevelCodes.UnitRows) + (divided % LevelCodes.PlaneRows), column);
    }
}

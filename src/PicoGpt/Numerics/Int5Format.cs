using System.Runtime.CompilerServices;

namespace PicoGpt.Numerics;

/// <summary>
/// 32 scales in bfloat16, one per column, and 96 rows of codes of 5 bits. A strip has 24 rows in four planes: the lower five bits of its bytes
/// are the first 16 rows; the upper three of the first plane, and two of the second above them, are the next four, and so are those of the third
/// and the fourth the last four. The highest bits of the second and the fourth are zero. The value is the scale times the level that the code
/// chooses.
/// </summary>
internal readonly unsafe struct Int5Format : IQuantizedFormat
{
    private const int BlockLength = 96;
    private const int StripLength = 24; // in rows, as the block's
    private const int Planes = 4;
    private const int WholeRows = Planes * LevelCodes.PlaneRows; // of a strip, whose codes are not divided
    private const int Bits = 5;
    private const int UpperBits = 3; // of a byte, and the lower of a divided code

    public static int Rows => BlockLength;

    public static int BlockSize => LevelCodes.ScalesSize + (BlockLength / StripLength * Planes * LevelCodes.PlaneSize);

    public static int StripRows => StripLength;

    public static int StripSize => Planes * LevelCodes.PlaneSize;

    public static int ColumnSize => LevelCodes.PlaneRows;

    public static int UnitRows => LevelCodes.UnitRows;

    public static int UnitSize => LevelCodes.UnitSize;

    public static int Bias => LevelCodes.Bias;

    public static int Largest => LevelCodes.Largest;

    public static int IntegerSize => sizeof(sbyte);

    public static int BytesAhead => 3072;

    /// <summary>The 32 levels from the least to the greatest, each greater by <see cref="LevelCodes.Bias"/>, chosen as <see cref="LevelCodes"/> tells.</summary>
    public static ReadOnlySpan<byte> Levels =>
    [
        0, 5, 10, 14, 17, 20, 23, 25, 27, 29, 31, 33, 35, 37, 39, 41,
        43, 45, 47, 49, 51, 53, 55, 57, 59, 61, 63, 66, 69, 72, 76, 80,
    ];

    public static void Pack(float* block, byte* packed)
    {
        Span<byte> codes = stackalloc byte[Rows * PackedMatrix.Side];
        LevelCodes.Choose(block, Levels, (ushort*)packed, codes);
        new Span<byte>(packed + LevelCodes.ScalesSize, BlockSize - LevelCodes.ScalesSize).Clear();
        for (int row = 0; row < Rows; row++)
        {
            for (int column = 0; column < PackedMatrix.Side; column++) Put(packed, row, column, codes[(row * PackedMatrix.Side) + column]);
        }
    }

    public static float Element(byte* packed, int row, int column) =>
        BFloat16Format.Widen(((ushort*)packed)[column]) * Level(packed, row, column);

    public static int Level(byte* packed, int row, int column)
    {
        byte* place = Place(packed, row, column);
        int code = row % StripRows < WholeRows ? *place : (*place >> Bits) | (place[LevelCodes.PlaneSize] >> Bits << UpperBits);
        return Levels[code & ((1 << Bits) - 1)] - Bias;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static VectorPair<TVector> Table<TWidth, TVector>()
        where TWidth : struct, IWidth<TVector>
        where TVector : struct => TWidth.Table(Levels);

    // What other rows leave above the bits that are looked up does not matter.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static VectorPair<TVector> Unit<TWidth, TVector>(byte* codes, int index, VectorPair<TVector> table)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct
    {
        if (index < 2)
        {
            float* planes = (float*)(codes + (index * UnitSize));
            return new VectorPair<TVector>(TWidth.LookUp5(table, TWidth.Load(planes)), TWidth.LookUp5(table, TWidth.Load(planes + (LevelCodes.PlaneSize / sizeof(float)))));
        }

        return new VectorPair<TVector>(TWidth.LookUp5(table, Divided<TWidth, TVector>(codes)), TWidth.LookUp5(table, Divided<TWidth, TVector>(codes + UnitSize)));
    }

    // the codes of which a part stands in each of two planes
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Divided<TWidth, TVector>(byte* codes)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct => TWidth.JoinBits(
            TWidth.ShiftWords(TWidth.Load((float*)codes), Bits),
            TWidth.ShiftWords(TWidth.Load((float*)(codes + LevelCodes.PlaneSize)), Bits - UpperBits));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<TWidth, TVector>(VectorPair<TVector> unit, byte* destination)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct => LevelCodes.Store<TWidth, TVector>(unit, destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static VectorPair<TVector> Load<TWidth, TVector>(byte* source)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct => LevelCodes.Load<TWidth, TVector>(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static VectorPair<TVector> Broadcast<TWidth, TVector>(byte* x)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct => LevelCodes.Broadcast<TWidth, TVector>(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Add<TWidth, TVector>(TVector sums, VectorPair<TVector> unit, VectorPair<TVector> x)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct => LevelCodes.Add<TWidth, TVector>(sums, unit, x);

    private static void Put(byte* packed, int row, int column, int code)
    {
        byte* place = Place(packed, row, column);
        if (row % StripRows < WholeRows)
        {
            *place |= (byte)code;
            return;
        }

        *place |= (byte)(code << Bits);
        place[LevelCodes.PlaneSize] |= (byte)(code >> UpperBits << Bits);
    }

    // the byte of a whole code, or of the lower bits of a divided one, whose upper bits stand in the next plane
    private static byte* Place(byte* packed, int row, int column)
    {
        byte* strip = packed + LevelCodes.ScalesSize + (row / StripRows * StripSize);
        int at = row % StripRows, divided = at - WholeRows;
        return strip + LevelCodes.Offset(divided < 0 ? at : (divided / LevelCodes.PlaneRows * UnitRows) + (divided % LevelCodes.PlaneRows), column);
    }
}

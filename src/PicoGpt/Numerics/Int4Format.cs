using System.Runtime.CompilerServices;

namespace PicoGpt.Numerics;

/// <summary>
/// 32 scales in bfloat16, one per column, and 32 rows of codes of 4 bits. A strip has eight rows in one plane: the first four in the lower bits
/// of its bytes, the others in the upper. The value is the scale times the level that the code chooses.
/// </summary>
internal readonly unsafe struct Int4Format : IQuantizedFormat
{
    private const int BlockLength = 32;
    private const int StripLength = LevelCodes.UnitRows; // in rows, as the block's
    private const int Planes = 1;
    private const int Bits = 4;

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

    /// <summary>The 16 levels from the least to the greatest, each greater by <see cref="LevelCodes.Bias"/>, chosen as <see cref="LevelCodes"/> tells.</summary>
    public static ReadOnlySpan<byte> Levels => [0, 8, 16, 22, 27, 31, 35, 39, 43, 47, 51, 55, 59, 64, 70, 77];

    public static void Pack(float* block, byte* packed)
    {
        Span<byte> codes = stackalloc byte[Rows * PackedMatrix.Side];
        LevelCodes.Choose(block, Levels, (ushort*)packed, codes);
        new Span<byte>(packed + LevelCodes.ScalesSize, BlockSize - LevelCodes.ScalesSize).Clear();
        for (int row = 0; row < Rows; row++)
        {
            for (int column = 0; column < PackedMatrix.Side; column++) *Place(packed, row, column) |= (byte)(codes[(row * PackedMatrix.Side) + column] << Shift(row));
        }
    }

    public static float Element(byte* packed, int row, int column) =>
        BFloat16Format.Widen(((ushort*)packed)[column]) * Level(packed, row, column);

    public static int Level(byte* packed, int row, int column) => Levels[(*Place(packed, row, column) >> Shift(row)) & ((1 << Bits) - 1)] - Bias;

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
        TVector plane = TWidth.Load((float*)codes);
        return new VectorPair<TVector>(TWidth.LookUp4(table, plane), TWidth.LookUp4(table, TWidth.ShiftWords(plane, Bits)));
    }

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

    private static byte* Place(byte* packed, int row, int column) =>
        packed + LevelCodes.ScalesSize + (row / StripRows * StripSize) + LevelCodes.Offset(row % LevelCodes.PlaneRows, column);

    private static int Shift(int row) => row % StripRows / LevelCodes.PlaneRows * Bits;
}

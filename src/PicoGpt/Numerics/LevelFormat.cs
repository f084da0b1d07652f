using System.Runtime.CompilerServices;

namespace PicoGpt.Numerics;

/// <summary>
/// 32 scales in bfloat16, one per column, and strips of codes, whose planes hold a byte for each of four rows and 32 columns. The value is the
/// scale times the level that the code chooses.
/// </summary>
internal readonly unsafe struct LevelFormat<TCodes> : IQuantizedFormat
    where TCodes : struct, ILevelCodes
{
    public static int Rows => TCodes.Rows;

    public static int BlockSize
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => LevelCodes.ScalesSize + (TCodes.Rows / TCodes.StripRows * TCodes.StripSize);
    }

    public static int StripRows => TCodes.StripRows;

    public static int StripSize => TCodes.StripSize;

    public static int ColumnSize => LevelCodes.PlaneRows;

    public static int UnitRows => LevelCodes.UnitRows;

    public static int UnitSize => LevelCodes.UnitSize;

    public static int Bias => LevelCodes.Bias;

    public static int Largest => LevelCodes.Largest;

    public static int IntegerSize => sizeof(sbyte);

    public static int BytesAhead => 3072;

    public static void Pack(float* block, byte* packed)
    {
        Span<byte> codes = stackalloc byte[Rows * PackedMatrix.Side];
        LevelCodes.Choose(block, TCodes.Table, (ushort*)packed, codes);
        new Span<byte>(packed + LevelCodes.ScalesSize, BlockSize - LevelCodes.ScalesSize).Clear();
        for (int row = 0; row < Rows; row++)
        {
            for (int column = 0; column < PackedMatrix.Side; column++)
                TCodes.Put(Strip(packed, row), row % StripRows, column, codes[(row * PackedMatrix.Side) + column]);
        }
    }

    public static float Element(byte* packed, int row, int column) =>
        BFloat16Format.Widen(((ushort*)packed)[column]) * Level(packed, row, column);

    public static int Level(byte* packed, int row, int column) => TCodes.Table[TCodes.Code(Strip(packed, row), row % StripRows, column)] - Bias;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static VectorPair<TVector> Table<TWidth, TVector>()
        where TWidth : struct, IWidth<TVector>
        where TVector : struct => TWidth.Table(TCodes.Table);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static VectorPair<TVector> Unit<TWidth, TVector>(byte* codes, int index, VectorPair<TVector> table)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct => TCodes.Unit<TWidth, TVector>(codes, index, table);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<TWidth, TVector>(VectorPair<TVector> unit, byte* destination)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct
    {
        TWidth.Store(unit.First, (float*)destination);
        TWidth.Store(unit.Second, (float*)(destination + LevelCodes.PlaneSize));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static VectorPair<TVector> Load<TWidth, TVector>(byte* source)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct => new(TWidth.Load((float*)source), TWidth.Load((float*)(source + LevelCodes.PlaneSize)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static VectorPair<TVector> Broadcast<TWidth, TVector>(byte* x)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct => new(TWidth.Broadcast(*(float*)x), TWidth.Broadcast(*(float*)(x + LevelCodes.PlaneRows)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Add<TWidth, TVector>(TVector sums, VectorPair<TVector> unit, VectorPair<TVector> x)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct =>
        TWidth.AddPairs(sums, TWidth.AddWords(TWidth.MultiplyBytes(unit.First, x.First), TWidth.MultiplyBytes(unit.Second, x.Second)));

    private static byte* Strip(byte* packed, int row) => packed + LevelCodes.ScalesSize + (row / StripRows * StripSize);
}

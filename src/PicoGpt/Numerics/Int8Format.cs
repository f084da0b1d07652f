using System.Runtime.CompilerServices;

namespace PicoGpt.Numerics;

/// <summary>
/// 32 scales in bfloat16, one per column, and 32 rows of 32 integers from −127 to 127, two rows of a column side by side: the value is the
/// product, which float32 holds exactly.
/// </summary>
internal readonly unsafe struct Int8Format : IQuantizedFormat
{
    private const int LargestLevel = 127;
    private const int PairRows = 2;
    private const int PairSize = PairRows * PackedMatrix.Side;
    private const int ScalesSize = PackedMatrix.Side * sizeof(ushort);

    public static int Rows => 32;

    public static int BlockSize => ScalesSize + (Rows * PackedMatrix.Side);

    public static int StripRows => UnitRows;

    public static int StripSize => UnitSize / sizeof(short);

    public static int ColumnSize => PairRows;

    public static int UnitRows => 2 * PairRows;

    public static int UnitSize => 2 * PairSize * sizeof(short);

    public static int Bias => 0;

    public static int Largest => short.MaxValue;

    public static int IntegerSize => sizeof(short);

    public static int BytesAhead => 256;

    public static void Pack(float* block, byte* packed)
    {
        for (int column = 0; column < PackedMatrix.Side; column++)
        {
            float largest = 0;
            for (int row = 0; row < Rows; row++) largest = MathF.Max(largest, MathF.Abs(block[(row * PackedMatrix.Side) + column]));
            ushort scale = BFloat16Format.Round(largest / LargestLevel);
            ((ushort*)packed)[column] = scale;
            float inverse = scale == 0 ? 0 : 1 / BFloat16Format.Widen(scale);
            for (int row = 0; row < Rows; row++)
            {
                float value = MathF.Round(block[(row * PackedMatrix.Side) + column] * inverse);
                *Place(packed, row, column) = (sbyte)Math.Clamp(value, -LargestLevel, LargestLevel);
            }
        }
    }

    public static float Element(byte* packed, int row, int column) =>
        BFloat16Format.Widen(((ushort*)packed)[column]) * Level(packed, row, column);

    public static int Level(byte* packed, int row, int column) => *Place(packed, row, column);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static VectorPair<TVector> Table<TWidth, TVector>()
        where TWidth : struct, IWidth<TVector>
        where TVector : struct => default;

    // two pairs of rows, both rows of a pair side by side as words of 16 bits
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static VectorPair<TVector> Unit<TWidth, TVector>(byte* codes, int index, VectorPair<TVector> table)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct => new(TWidth.LoadSBytes((sbyte*)codes), TWidth.LoadSBytes((sbyte*)codes + PairSize));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<TWidth, TVector>(VectorPair<TVector> unit, byte* destination)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct
    {
        TWidth.Store(unit.First, (float*)destination);
        TWidth.Store(unit.Second, (float*)(destination + (PairSize * sizeof(short))));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static VectorPair<TVector> Load<TWidth, TVector>(byte* source)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct => new(TWidth.Load((float*)source), TWidth.Load((float*)(source + (PairSize * sizeof(short)))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static VectorPair<TVector> Broadcast<TWidth, TVector>(byte* x)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct => new(TWidth.BroadcastPair((short*)x), TWidth.BroadcastPair((short*)x + PairRows));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Add<TWidth, TVector>(TVector sums, VectorPair<TVector> unit, VectorPair<TVector> x)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct => TWidth.AddProducts(TWidth.AddProducts(sums, unit.First, x.First), unit.Second, x.Second);

    private static sbyte* Place(byte* packed, int row, int column) =>
        (sbyte*)(packed + ScalesSize + (row / PairRows * PairSize) + (column * PairRows) + (row % PairRows));
}

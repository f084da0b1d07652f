using System.Runtime.CompilerServices;

namespace PicoGpt.Numerics;

/// <summary>
/// 32 scales in bfloat16, one per column, and 96 rows of codes of 5 bits. A strip has six rows: for each column two words of 16 bits, of
/// which the first holds the codes of the even rows and the second those of the odd rows, the first row's lowest; the highest bit is zero.
/// The value is the scale times the level that the code chooses.
/// </summary>
internal readonly unsafe struct Int5Format : IQuantizedFormat
{
    private const int Bits = 5;

    public static int Rows => 96;

    public static int BlockSize => LevelCodes.BlockSize(Rows, StripRows);

    public static int StripRows => 6;

    public static int BytesAhead => 3072;

    public static int ColumnSize => LevelCodes.ColumnSize;

    /// <summary>The 32 levels, from the least to the greatest, chosen as <see cref="LevelCodes"/> tells.</summary>
    public static ReadOnlySpan<sbyte> Levels =>
    [
        -127, -111, -97, -86, -77, -69, -62, -54, -48, -41, -35, -29, -23, -17, -11, -5,
        0, 6, 11, 17, 23, 29, 35, 41, 48, 54, 62, 69, 77, 86, 96, 109,
    ];

    public static void Pack(float* block, byte* packed) => LevelCodes.Pack(block, packed, Levels, Rows, StripRows, Bits);

    public static float Element(byte* packed, int row, int column) =>
        BFloat16Format.Widen(((ushort*)packed)[column]) * Level(packed, row, column);

    public static int Level(byte* packed, int row, int column) => Levels[LevelCodes.CodeOf(packed, row, column, StripRows, Bits)];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Add<TWidth, TVector>(byte* codes, short* x, TVector sums)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct
    {
        TVector words = TWidth.Load((float*)codes);
        sums = TWidth.AddProducts(sums, TWidth.LookUp5(words), TWidth.BroadcastPair(x));
        sums = TWidth.AddProducts(sums, TWidth.LookUp5(TWidth.ShiftWords(words, Bits)), TWidth.BroadcastPair(x + 2));
        return TWidth.AddProducts(sums, TWidth.LookUp5(TWidth.ShiftWords(words, 2 * Bits)), TWidth.BroadcastPair(x + 4));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Codes<TWidth, TVector>(byte* codes)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct => TWidth.Load((float*)codes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Words<TWidth, TVector>(TVector codes)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct => TWidth.LookUp5(codes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Next<TWidth, TVector>(TVector codes)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct => TWidth.ShiftWords(codes, Bits);
}

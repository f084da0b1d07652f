using System.Runtime.CompilerServices;

namespace PicoGpt.Numerics;

/// <summary>
/// 32 scales in bfloat16, one per column, and 32 rows of 32 integers from −127 to 127, two rows of a column side by side: the value is the
/// product, which float32 holds exactly.
/// </summary>
internal readonly unsafe struct Int8Format : IQuantizedFormat
{
    private const int Largest = 127;
    private const int ScalesSize = PackedMatrix.Side * sizeof(ushort);

    public static int Rows => 32;

    public static int BlockSize => ScalesSize + (Rows * PackedMatrix.Side);

    public static int StripRows => 2;

    public static int BytesAhead => 256;

    public static int ColumnSize => 2;

    public static void Pack(float* block, byte* packed)
    {
        for (int column = 0; column < PackedMatrix.Side; column++)
        {
            float largest = 0;
            for (int row = 0; row < Rows; row++) largest = MathF.Max(largest, MathF.Abs(block[(row * PackedMatrix.Side) + column]));
            ushort scale = BFloat16Format.Round(largest / Largest);
            ((ushort*)packed)[column] = scale;
            float inverse = scale == 0 ? 0 : 1 / BFloat16Format.Widen(scale);
            for (int row = 0; row < Rows; row++)
            {
                float value = MathF.Round(block[(row * PackedMatrix.Side) + column] * inverse);
                *Place(packed, row, column) = (sbyte)Math.Clamp(value, -Largest, Largest);
            }
        }
    }

    public static float Element(byte* packed, int row, int column) =>
        BFloat16Format.Widen(((ushort*)packed)[column]) * Level(packed, row, column);

    public static int Level(byte* packed, int row, int column) => *Place(packed, row, column);

    public static TVector Add<TWidth, TVector>(byte* codes, short* x, TVector sums)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct => TWidth.AddProducts(sums, TWidth.LoadSBytes((sbyte*)codes), TWidth.BroadcastPair(x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Codes<TWidth, TVector>(byte* codes)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct => TWidth.LoadSBytes((sbyte*)codes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Words<TWidth, TVector>(TVector codes)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct => codes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Next<TWidth, TVector>(TVector codes)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct => codes;

    private static sbyte* Place(byte* packed, int row, int column) =>
        (sbyte*)(packed + ScalesSize + (row / 2 * 2 * PackedMatrix.Side) + (2 * column) + (row % 2));
}

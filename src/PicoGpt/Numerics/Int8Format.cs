namespace PicoGpt.Numerics;

/// <summary>
/// 32 scales in bfloat16, one per column, and 32 rows of 32 integers from −127 to 127: the value is their product, which float32
/// holds exactly.
/// </summary>
internal readonly unsafe struct Int8Format : IPackedFormat
{
    private const int Largest = 127;
    private const int ScalesSize = PackedMatrix.Side * sizeof(ushort);

    public static int Rows => 32;

    public static int BlockSize => ScalesSize + (Rows * PackedMatrix.Side);

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
                Codes(packed)[(row * PackedMatrix.Side) + column] = (sbyte)Math.Clamp(value, -Largest, Largest);
            }
        }
    }

    public static float Element(byte* packed, int row, int column) =>
        BFloat16Format.Widen(((ushort*)packed)[column]) * Codes(packed)[(row * PackedMatrix.Side) + column];

    public static TVector Scale<TWidth, TVector>(byte* packed, int column)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct => TWidth.LoadBFloat16((ushort*)packed + column);

    public static void Load<TWidth, TVector>(
        byte* packed, int row, int column, TVector leftScale, TVector rightScale, out TVector left, out TVector right)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct
    {
        sbyte* codes = Codes(packed) + (row * PackedMatrix.Side) + column;
        left = TWidth.Multiply(leftScale, TWidth.LoadSByte(codes));
        right = TWidth.Multiply(rightScale, TWidth.LoadSByte(codes + (PackedMatrix.Side / 2)));
    }

    private static sbyte* Codes(byte* packed) => (sbyte*)(packed + ScalesSize);
}

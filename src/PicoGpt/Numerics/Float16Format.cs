namespace PicoGpt.Numerics;

/// <summary>
/// IEEE half precision, rounded to nearest; what is too large becomes the largest finite half. A row is 16 pairs, see <see cref="HalfPairs"/>.
/// </summary>
internal readonly unsafe struct Float16Format : IFloatFormat
{
    /// <summary>The zeros of the exponents of floats and halves lie 112 apart.</summary>
    public const float Scale = 5.192296858534828e33f; // 2 to the power of 112

    /// <summary>The least half that is not subnormal.</summary>
    public const float LeastNormal = 6.103515625e-05f; // 2 to the power of −14

    public static int Rows => 32;

    public static int BlockSize => Rows * PackedMatrix.Side * sizeof(ushort);

    public static void Pack(float* block, byte* packed)
    {
        var halves = (Half*)packed;
        for (int i = 0; i < Rows * PackedMatrix.Side; i++)
            halves[HalfPairs.IndexOf(i)] = (Half)Math.Clamp(block[i], (float)Half.MinValue, (float)Half.MaxValue);
    }

    public static float Element(byte* packed, int row, int column) => (float)((Half*)packed)[HalfPairs.IndexOf((row * PackedMatrix.Side) + column)];

    public static void Load<TWidth, TVector>(byte* packed, int row, int column, out TVector left, out TVector right)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct
    {
        TWidth.LoadHalves(HalfPairs.Of(packed, row, column), out left, out right);
        left = TWidth.Multiply(left, TWidth.Broadcast(Scale));
        right = TWidth.Multiply(right, TWidth.Broadcast(Scale));
    }
}

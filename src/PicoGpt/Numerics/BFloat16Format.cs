namespace PicoGpt.Numerics;

/// <summary>The upper half of a float32, rounded to nearest, ties to even. A row is 16 pairs, see <see cref="HalfPairs"/>.</summary>
internal readonly unsafe struct BFloat16Format : IFloatFormat
{
    public static int Rows => 32;

    public static int BlockSize => Rows * PackedMatrix.Side * sizeof(ushort);

    /// <summary>The nearest bfloat16 of a finite value.</summary>
    public static ushort Round(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        uint rounded = bits + 0x7FFF + ((bits >> 16) & 1);
        return (ushort)((rounded & 0x7FFFFFFF) < 0x7F800000 ? rounded >> 16 : bits >> 16); // never up to infinity
    }

    public static float Widen(ushort value) => BitConverter.UInt32BitsToSingle((uint)value << 16);

    public static void Pack(float* block, byte* packed)
    {
        ushort* values = (ushort*)packed;
        for (int i = 0; i < Rows * PackedMatrix.Side; i++) values[HalfPairs.IndexOf(i)] = Round(block[i]);
    }

    public static float Element(byte* packed, int row, int column) => Widen(((ushort*)packed)[HalfPairs.IndexOf((row * PackedMatrix.Side) + column)]);

    public static void Load<TWidth, TVector>(byte* packed, int row, int column, out TVector left, out TVector right)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct => TWidth.LoadBFloat16s(HalfPairs.Of(packed, row, column), out left, out right);
}

namespace PicoGpt.Numerics;

/// <summary>
/// What <see cref="Float16Format"/> packs, each value divided by <see cref="Float16Format.Scale"/>: without a multiplication. What is multiplied by
/// it is multiplied by the scale instead, which is exact.
/// </summary>
internal readonly unsafe struct ScaledFloat16Format : IFloatFormat
{
    public static int Rows => Float16Format.Rows;

    public static int BlockSize => Float16Format.BlockSize;

    public static void Pack(float* block, byte* packed) => Float16Format.Pack(block, packed);

    public static float Element(byte* packed, int row, int column) => Float16Format.Element(packed, row, column) / Float16Format.Scale;

    public static void Load<TWidth, TVector>(byte* packed, int row, int column, out TVector left, out TVector right)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct => TWidth.LoadHalves(HalfPairs.Of(packed, row, column), out left, out right);
}

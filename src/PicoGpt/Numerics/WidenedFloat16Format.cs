namespace PicoGpt.Numerics;

/// <summary>
/// What <see cref="Float16Format"/> packs, unpacked without any float on the way that is subnormal: for processors which take a hundred times as long
/// over those.
/// </summary>
internal readonly unsafe struct WidenedFloat16Format : IFloatFormat
{
    public static int Rows => Float16Format.Rows;

    public static int BlockSize => Float16Format.BlockSize;

    public static void Pack(float* block, byte* packed) => Float16Format.Pack(block, packed);

    public static float Element(byte* packed, int row, int column) => Float16Format.Element(packed, row, column);

    public static void Load<TWidth, TVector>(byte* packed, int row, int column, out TVector left, out TVector right)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct => TWidth.WidenHalves(HalfPairs.Of(packed, row, column), out left, out right);
}

namespace PicoGpt.Numerics;

/// <summary>Float32 as it is, in the order in which it is walked.</summary>
internal readonly unsafe struct Float32Format : IFloatFormat
{
    public static int Rows => 32;

    public static int BlockSize => Rows * PackedMatrix.Side * sizeof(float);

    public static bool IsFloat32 => true;

    public static void Pack(float* block, byte* packed) =>
        new ReadOnlySpan<byte>(block, BlockSize).CopyTo(new Span<byte>(packed, BlockSize));

    public static float Element(byte* packed, int row, int column) => ((float*)packed)[(row * PackedMatrix.Side) + column];

    public static void Load<TWidth, TVector>(byte* packed, int row, int column, out TVector left, out TVector right)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct
    {
        float* values = (float*)packed + (row * PackedMatrix.Side) + column;
        left = TWidth.Load(values);
        right = TWidth.Load(values + (PackedMatrix.Side / 2));
    }
}

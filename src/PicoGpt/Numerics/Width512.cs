using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace PicoGpt.Numerics;

/// <summary>16 floats at a time.</summary>
internal readonly unsafe struct Width512 : IWidth<Vector512<float>>
{
    private static Vector512<float> Levels => Vector512.Create(
        -1f, -0.8051f, -0.6661f, -0.5465f, -0.4328f, -0.3198f, -0.2138f, -0.115f,
        -0.0149f, 0.0927f, 0.2049f, 0.3185f, 0.4331f, 0.5536f, 0.6864f, 0.8586f);

    public static int Count => 16;

    public static Vector512<float> Load(float* source) => Vector512.Load(source);

    public static void Store(Vector512<float> vector, float* destination) => vector.Store(destination);

    public static Vector512<float> Broadcast(float value) => Vector512.Create(value);

    public static Vector512<float> Add(Vector512<float> left, Vector512<float> right) => left + right;

    public static Vector512<float> Subtract(Vector512<float> left, Vector512<float> right) => left - right;

    public static Vector512<float> Multiply(Vector512<float> left, Vector512<float> right) => left * right;

    public static Vector512<float> Divide(Vector512<float> left, Vector512<float> right) => left / right;

    public static Vector512<float> Max(Vector512<float> left, Vector512<float> right) => Vector512.Max(left, right);

    public static Vector512<float> Min(Vector512<float> left, Vector512<float> right) => Vector512.Min(left, right);

    public static Vector512<float> FusedMultiplyAdd(Vector512<float> left, Vector512<float> right, Vector512<float> addend) =>
        Vector512.FusedMultiplyAdd(left, right, addend);

    public static Vector512<float> SquareRoot(Vector512<float> value) => Vector512.Sqrt(value);

    public static Vector512<float> PowerOfTwo(Vector512<float> exponent) =>
        Vector512.ShiftLeft(Vector512.ConvertToInt32(exponent) + Vector512.Create(127), 23).AsSingle();

    // A half's exponent and fraction stand 13 bits higher in a float, and the exponents' zeros lie 112 apart.
    public static Vector512<float> LoadHalf(ushort* source)
    {
        Vector512<int> bits = Vector512.ShiftLeft(WidenToInt32((short*)source), 13) & Vector512.Create(unchecked((int)0x8FFFE000));
        return bits.AsSingle() * Vector512.Create(5.192296858534828e33f);
    }

    public static Vector512<float> LoadBFloat16(ushort* source) => Vector512.ShiftLeft(WidenToInt32((short*)source), 16).AsSingle();

    public static Vector512<float> LoadSByte(sbyte* source) =>
        Vector512.ConvertToSingle(Avx512F.ConvertToVector512Int32(Vector128.Load(source)));

    public static void LookUpLevels(byte* codes, out Vector512<float> lower, out Vector512<float> upper)
    {
        Vector512<int> indices = Avx512F.ConvertToVector512Int32(Vector128.Load(codes));
        lower = Avx512F.PermuteVar16x32(Levels, indices); // looks at the lowest four bits only
        upper = Avx512F.PermuteVar16x32(Levels, Vector512.ShiftRightLogical(indices, 4));
    }

    private static Vector512<int> WidenToInt32(short* source) => Avx512F.ConvertToVector512Int32(Vector256.Load(source));
}

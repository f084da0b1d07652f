using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace PicoGpt.Numerics;

/// <summary>8 floats at a time.</summary>
internal readonly unsafe struct Width256 : IWidth<Vector256<float>>
{
    private static Vector256<float> LowLevels => Vector256.Create(
        -1f, -0.8051f, -0.6661f, -0.5465f, -0.4328f, -0.3198f, -0.2138f, -0.115f);

    private static Vector256<float> HighLevels => Vector256.Create(
        -0.0149f, 0.0927f, 0.2049f, 0.3185f, 0.4331f, 0.5536f, 0.6864f, 0.8586f);

    public static int Count => 8;

    public static Vector256<float> Load(float* source) => Vector256.Load(source);

    public static void Store(Vector256<float> vector, float* destination) => vector.Store(destination);

    public static Vector256<float> Broadcast(float value) => Vector256.Create(value);

    public static Vector256<float> Add(Vector256<float> left, Vector256<float> right) => left + right;

    public static Vector256<float> Subtract(Vector256<float> left, Vector256<float> right) => left - right;

    public static Vector256<float> Multiply(Vector256<float> left, Vector256<float> right) => left * right;

    public static Vector256<float> Divide(Vector256<float> left, Vector256<float> right) => left / right;

    public static Vector256<float> Max(Vector256<float> left, Vector256<float> right) => Vector256.Max(left, right);

    public static Vector256<float> Min(Vector256<float> left, Vector256<float> right) => Vector256.Min(left, right);

    public static Vector256<float> FusedMultiplyAdd(Vector256<float> left, Vector256<float> right, Vector256<float> addend) =>
        Vector256.FusedMultiplyAdd(left, right, addend);

    public static Vector256<float> SquareRoot(Vector256<float> value) => Vector256.Sqrt(value);

    public static Vector256<float> PowerOfTwo(Vector256<float> exponent) =>
        Vector256.ShiftLeft(Vector256.ConvertToInt32(exponent) + Vector256.Create(127), 23).AsSingle();

    // A half's exponent and fraction stand 13 bits higher in a float, and the exponents' zeros lie 112 apart.
    public static Vector256<float> LoadHalf(ushort* source)
    {
        Vector256<int> bits = Vector256.ShiftLeft(WidenToInt32((short*)source), 13) & Vector256.Create(unchecked((int)0x8FFFE000));
        return bits.AsSingle() * Vector256.Create(5.192296858534828e33f);
    }

    public static Vector256<float> LoadBFloat16(ushort* source) => Vector256.ShiftLeft(WidenToInt32((short*)source), 16).AsSingle();

    public static Vector256<float> LoadSByte(sbyte* source) =>
        Vector256.ConvertToSingle(Avx2.ConvertToVector256Int32(Vector128.CreateScalarUnsafe(*(long*)source).AsSByte()));

    public static void LookUpLevels(byte* codes, out Vector256<float> lower, out Vector256<float> upper)
    {
        Vector256<int> indices = Avx2.ConvertToVector256Int32(Vector128.CreateScalarUnsafe(*(long*)codes).AsByte());
        lower = LookUpLevels(indices);
        upper = LookUpLevels(Vector256.ShiftRightLogical(indices, 4));
    }

    // the lowest three bits choose in either half of the levels, the fourth chooses the half
    private static Vector256<float> LookUpLevels(Vector256<int> indices) => Avx.BlendVariable(
        Avx2.PermuteVar8x32(LowLevels, indices), Avx2.PermuteVar8x32(HighLevels, indices), Vector256.ShiftLeft(indices, 28).AsSingle());

    private static Vector256<int> WidenToInt32(short* source) => Avx2.ConvertToVector256Int32(Vector128.Load(source));
}

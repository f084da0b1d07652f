using System.Runtime.Intrinsics;

namespace PicoGpt.Numerics;

/// <summary>4 floats at a time.</summary>
internal readonly unsafe struct Width128 : IWidth<Vector128<float>>
{
    public static int Count => 4;

    public static Vector128<float> Load(float* source) => Vector128.Load(source);

    public static void Store(Vector128<float> vector, float* destination) => vector.Store(destination);

    public static Vector128<float> Broadcast(float value) => Vector128.Create(value);

    public static Vector128<float> Add(Vector128<float> left, Vector128<float> right) => left + right;

    public static Vector128<float> Subtract(Vector128<float> left, Vector128<float> right) => left - right;

    public static Vector128<float> Multiply(Vector128<float> left, Vector128<float> right) => left * right;

    public static Vector128<float> Divide(Vector128<float> left, Vector128<float> right) => left / right;

    public static Vector128<float> Max(Vector128<float> left, Vector128<float> right) => Vector128.Max(left, right);

    public static Vector128<float> Min(Vector128<float> left, Vector128<float> right) => Vector128.Min(left, right);

    public static Vector128<float> FusedMultiplyAdd(Vector128<float> left, Vector128<float> right, Vector128<float> addend) =>
        Vector128.FusedMultiplyAdd(left, right, addend);

    public static Vector128<float> SquareRoot(Vector128<float> value) => Vector128.Sqrt(value);

    public static Vector128<float> PowerOfTwo(Vector128<float> exponent) =>
        Vector128.ShiftLeft(Vector128.ConvertToInt32(exponent) + Vector128.Create(127), 23).AsSingle();

    // A half's exponent and fraction stand 13 bits higher in a float, and the exponents' zeros lie 112 apart.
    public static Vector128<float> LoadHalf(ushort* source)
    {
        Vector128<int> bits = Vector128.ShiftLeft(WidenToInt32((short*)source), 13) & Vector128.Create(unchecked((int)0x8FFFE000));
        return bits.AsSingle() * Vector128.Create(5.192296858534828e33f);
    }

    public static Vector128<float> LoadBFloat16(ushort* source) => Vector128.ShiftLeft(WidenToInt32((short*)source), 16).AsSingle();

    public static Vector128<float> LoadSByte(sbyte* source) =>
        Vector128.ConvertToSingle(Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(int*)source).AsSByte())));

    public static void LookUpLevels(byte* codes, out Vector128<float> lower, out Vector128<float> upper)
    {
        lower = LookUpLevels(codes[0] & 15, codes[1] & 15, codes[2] & 15, codes[3] & 15);
        upper = LookUpLevels(codes[0] >> 4, codes[1] >> 4, codes[2] >> 4, codes[3] >> 4);
    }

    private static Vector128<float> LookUpLevels(int a, int b, int c, int d)
    {
        ReadOnlySpan<float> levels = Int4Format.Levels;
        return Vector128.Create(levels[a], levels[b], levels[c], levels[d]);
    }

    private static Vector128<int> WidenToInt32(short* source) => Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(long*)source).AsInt16());
}

using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

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

    // The processor's minimum and maximum take their second operand where one is no number.
    public static Vector128<float> Clamp(Vector128<float> value, Vector128<float> least, Vector128<float> greatest) =>
        Vector128.MinNative(greatest, Vector128.MaxNative(least, value));

    // As integers, the bits of floats without a sign are in the order of their values.
    public static Vector128<float> MaxMagnitude(Vector128<float> most, Vector128<float> value) =>
        Vector128.Max(most.AsInt32(), value.AsInt32() & Vector128.Create(int.MaxValue)).AsSingle();

    public static Vector128<float> FusedMultiplyAdd(Vector128<float> left, Vector128<float> right, Vector128<float> addend) =>
        Vector128.FusedMultiplyAdd(left, right, addend);

    public static Vector128<float> SquareRoot(Vector128<float> value) => Vector128.Sqrt(value);

    public static Vector128<float> PowerOfTwo(Vector128<float> exponent) =>
        Vector128.ShiftLeft(Vector128.ConvertToInt32Native(exponent) + Vector128.Create(127), 23).AsSingle();

    public static void LoadHalves(uint* source, out Vector128<float> lower, out Vector128<float> upper)
    {
        Vector128<int> pairs = Vector128.Load((int*)source);
        lower = Placed(Vector128.ShiftLeft(pairs, 16));
        upper = Placed(pairs);
    }

    public static void LoadBFloat16s(uint* source, out Vector128<float> lower, out Vector128<float> upper)
    {
        Vector128<int> pairs = Vector128.Load((int*)source);
        lower = Vector128.ShiftLeft(pairs, 16).AsSingle();
        upper = (pairs & Vector128.Create(unchecked((int)0xFFFF0000))).AsSingle();
    }

    public static Vector128<float> LoadBFloat16(ushort* source) => Vector128.ShiftLeft(WidenToInt32((short*)source), 16).AsSingle();

    public static Vector128<float> LoadShorts(short* source) => Vector128.ConvertToSingle(WidenToInt32(source));

    public static Vector128<float> BroadcastPair(short* pair) => Vector128.Create(*(int*)pair).AsSingle();

    public static Vector128<float> LoadSBytes(sbyte* source) =>
        Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(long*)source).AsSByte()).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> AddProducts(Vector128<float> sums, Vector128<float> words, Vector128<float> pairs) =>
        (sums.AsInt32() + SumsOfProducts(words.AsInt16(), pairs.AsInt16())).AsSingle();

    public static Vector128<float> AddIntegers(Vector128<float> left, Vector128<float> right) => (left.AsInt32() + right.AsInt32()).AsSingle();

    public static Vector128<float> ConvertToSingle(Vector128<float> sums) => Vector128.ConvertToSingle(sums.AsInt32());

    public static Vector128<float> ShiftWords(Vector128<float> words, [ConstantExpected] int count) =>
        Vector128.ShiftRightLogical(words.AsUInt16(), count).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LookUp4(Vector128<float> words) =>
        WidenLow(Vector128.Shuffle(Levels(Int4Format.Levels), words.AsByte() & Vector128.Create((ushort)15).AsByte()));

    // A code outside one half of the levels gives zero there.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LookUp5(Vector128<float> words)
    {
        Vector128<byte> codes = words.AsByte() & Vector128.Create((ushort)31).AsByte();
        return WidenLow(Vector128.Shuffle(Levels(Int5Format.Levels), codes) | Vector128.Shuffle(Levels(Int5Format.Levels[16..]), codes - Vector128.Create((byte)16)));
    }

    public static void StoreRounded(Vector128<float> first, Vector128<float> second, short* destination) => Vector128.Narrow(
        Vector128.ConvertToInt32Native(Vector128.Round(first)), Vector128.ConvertToInt32Native(Vector128.Round(second))).Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Levels(ReadOnlySpan<sbyte> levels) => Vector128.LoadUnsafe(in MemoryMarshal.GetReference(levels)).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> SumsOfProducts(Vector128<short> x, Vector128<short> y)
    {
        if (Sse2.IsSupported) return Sse2.MultiplyAddAdjacent(x, y);
        if (AdvSimd.Arm64.IsSupported)
        {
            return AdvSimd.Arm64.AddPairwise(
                AdvSimd.MultiplyWideningLower(x.GetLower(), y.GetLower()), AdvSimd.MultiplyWideningUpper(x, y));
        }

        Vector128<int> low = Vector128.ShiftRightArithmetic(Vector128.ShiftLeft(x.AsInt32(), 16), 16)
            * Vector128.ShiftRightArithmetic(Vector128.ShiftLeft(y.AsInt32(), 16), 16);
        return low + (Vector128.ShiftRightArithmetic(x.AsInt32(), 16) * Vector128.ShiftRightArithmetic(y.AsInt32(), 16));
    }

    // the lower byte of each 16 bits, with its sign
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> WidenLow(Vector128<byte> levels) =>
        Vector128.ShiftRightArithmetic(Vector128.ShiftLeft(levels.AsInt16(), 8), 8).AsSingle();

    private static Vector128<int> WidenToInt32(short* source) => Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(long*)source).AsInt16());

    // The half in the upper bits: its exponent and fraction stand 3 bits lower in a float.
    private static Vector128<float> Placed(Vector128<int> halves) =>
        (Vector128.ShiftRightArithmetic(halves, 3) & Vector128.Create(unchecked((int)0x8FFFE000))).AsSingle();
}

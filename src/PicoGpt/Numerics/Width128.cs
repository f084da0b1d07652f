using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
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

    public static void WidenHalves(uint* source, out Vector128<float> lower, out Vector128<float> upper)
    {
        Vector128<int> pairs = Vector128.Load((int*)source);
        lower = Widened(Vector128.ShiftLeft(pairs, 16), Vector128.ShiftLeft(pairs, 13));
        upper = Widened(pairs, Vector128.ShiftRightLogical(pairs, 3));
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

    public static VectorPair<Vector128<float>> Table(ReadOnlySpan<byte> bytes) =>
        new(Vector128.Create(bytes).AsSingle(), Vector128.Create(bytes[^16..]).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LookUp4(VectorPair<Vector128<float>> table, Vector128<float> bytes) =>
        Vector128.Shuffle(table.First.AsByte(), bytes.AsByte() & Vector128.Create((byte)15)).AsSingle();

    // A code outside one half of the table gives zero there.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LookUp5(VectorPair<Vector128<float>> table, Vector128<float> bytes)
    {
        Vector128<byte> codes = bytes.AsByte() & Vector128.Create((byte)31);
        return (Vector128.Shuffle(table.First.AsByte(), codes) | Vector128.Shuffle(table.Second.AsByte(), codes - Vector128.Create((byte)16))).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> JoinBits(Vector128<float> low, Vector128<float> high) =>
        Vector128.ConditionalSelect(Vector128.Create((byte)7), low.AsByte(), high.AsByte()).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> MultiplyBytes(Vector128<float> levels, Vector128<float> x)
    {
        if (Ssse3.IsSupported) return Ssse3.MultiplyAddAdjacent(levels.AsByte(), x.AsSByte()).AsSingle();
        if (AdvSimd.Arm64.IsSupported)
        {
            return AdvSimd.Arm64.AddPairwise(
                AdvSimd.MultiplyWideningLower(levels.AsSByte().GetLower(), x.AsSByte().GetLower()),
                AdvSimd.MultiplyWideningUpper(levels.AsSByte(), x.AsSByte())).AsSingle();
        }

        Vector128<short> even = Low(levels) * Low(x);
        return (even + (Vector128.ShiftRightLogical(levels.AsInt16(), 8) * Vector128.ShiftRightArithmetic(x.AsInt16(), 8))).AsSingle();
    }

    public static Vector128<float> AddWords(Vector128<float> left, Vector128<float> right) => (left.AsInt16() + right.AsInt16()).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> AddPairs(Vector128<float> sums, Vector128<float> words) => AdvSimd.IsSupported
        ? AdvSimd.AddPairwiseWideningAndAdd(sums.AsInt32(), words.AsInt16()).AsSingle()
        : (sums.AsInt32() + SumsOfProducts(words.AsInt16(), Vector128<short>.One)).AsSingle();

    public static void StoreRounded(Vector128<float> first, Vector128<float> second, short* destination) => Vector128.Narrow(
        Vector128.ConvertToInt32Native(Vector128.Round(first)), Vector128.ConvertToInt32Native(Vector128.Round(second))).Store(destination);

    public static void StoreSBytes(Vector128<float> values, sbyte* destination)
    {
        Vector128<int> integers = Vector128.ConvertToInt32Native(values);
        Vector128<short> words = Vector128.Narrow(integers, integers);
        *(int*)destination = Vector128.Narrow(words, words).AsInt32().ToScalar();
    }

    public static Vector128<float> Round(Vector128<float> values) => Vector128.Round(values);

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
    private static Vector128<short> Low(Vector128<float> bytes) => Vector128.ShiftRightArithmetic(Vector128.ShiftLeft(bytes.AsInt16(), 8), 8);

    private static Vector128<int> WidenToInt32(short* source) => Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(long*)source).AsInt16());

    // The half in the upper bits: its exponent and fraction stand 3 bits lower in a float.
    private static Vector128<float> Placed(Vector128<int> halves) =>
        (Vector128.ShiftRightArithmetic(halves, 3) & Vector128.Create(unchecked((int)0x8FFFE000))).AsSingle();

    // The half's sign, and its exponent and fraction where a float's stand, among other bits. The exponents' zeros lie 112 apart, which makes a normal
    // half what it is, but a subnormal one, whose first bit counts, too great: it is twice that less what this bit is worth, which is less for
    // subnormal halves only.
    private static Vector128<float> Widened(Vector128<int> sign, Vector128<int> placed)
    {
        Vector128<float> normal = ((placed & Vector128.Create(0x0FFFE000)) + Vector128.Create(112 << 23)).AsSingle();
        Vector128<float> subnormal = Vector128.FusedMultiplyAdd(normal, Vector128.Create(2f), Vector128.Create(-Float16Format.LeastNormal));
        return Vector128.ConditionalSelect(Vector128.Create(int.MinValue), sign, Vector128.MinNative(normal, subnormal).AsInt32()).AsSingle();
    }
}

using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace PicoGpt.Numerics;

/// <summary>8 floats at a time.</summary>
internal readonly unsafe struct Width256 : IWidth<Vector256<float>>
{
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

    // The processor's minimum and maximum take their second operand where one is no number.
    public static Vector256<float> Clamp(Vector256<float> value, Vector256<float> least, Vector256<float> greatest) =>
        Vector256.MinNative(greatest, Vector256.MaxNative(least, value));

    // As integers, the bits of floats without a sign are in the order of their values.
    public static Vector256<float> MaxMagnitude(Vector256<float> most, Vector256<float> value) =>
        Vector256.Max(most.AsInt32(), value.AsInt32() & Vector256.Create(int.MaxValue)).AsSingle();

    public static Vector256<float> FusedMultiplyAdd(Vector256<float> left, Vector256<float> right, Vector256<float> addend) =>
        Vector256.FusedMultiplyAdd(left, right, addend);

    public static Vector256<float> SquareRoot(Vector256<float> value) => Vector256.Sqrt(value);

    public static Vector256<float> PowerOfTwo(Vector256<float> exponent) =>
        Vector256.ShiftLeft(Vector256.ConvertToInt32Native(exponent) + Vector256.Create(127), 23).AsSingle();

    public static void LoadHalves(uint* source, out Vector256<float> lower, out Vector256<float> upper)
    {
        Vector256<int> pairs = Vector256.Load((int*)source);
        lower = Placed(Vector256.ShiftLeft(pairs, 16));
        upper = Placed(pairs);
    }

    public static void WidenHalves(uint* source, out Vector256<float> lower, out Vector256<float> upper)
    {
        Vector256<int> pairs = Vector256.Load((int*)source);
        lower = Widened(Vector256.ShiftLeft(pairs, 16), Vector256.ShiftLeft(pairs, 13));
        upper = Widened(pairs, Vector256.ShiftRightLogical(pairs, 3));
    }

    public static void LoadBFloat16s(uint* source, out Vector256<float> lower, out Vector256<float> upper)
    {
        Vector256<int> pairs = Vector256.Load((int*)source);
        lower = Vector256.ShiftLeft(pairs, 16).AsSingle();
        upper = (pairs & Vector256.Create(unchecked((int)0xFFFF0000))).AsSingle();
    }

    public static Vector256<float> LoadBFloat16(ushort* source) => Vector256.ShiftLeft(WidenToInt32((short*)source), 16).AsSingle();

    public static Vector256<float> LoadShorts(short* source) => Vector256.ConvertToSingle(WidenToInt32(source));

    public static Vector256<float> BroadcastPair(short* pair) => Vector256.Create(*(int*)pair).AsSingle();

    public static Vector256<float> LoadSBytes(sbyte* source) => Avx2.ConvertToVector256Int16(Vector128.Load(source)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> AddProducts(Vector256<float> sums, Vector256<float> words, Vector256<float> pairs) =>
        (sums.AsInt32() + Avx2.MultiplyAddAdjacent(words.AsInt16(), pairs.AsInt16())).AsSingle();

    public static Vector256<float> AddIntegers(Vector256<float> left, Vector256<float> right) => (left.AsInt32() + right.AsInt32()).AsSingle();

    public static Vector256<float> ConvertToSingle(Vector256<float> sums) => Vector256.ConvertToSingle(sums.AsInt32());

    public static Vector256<float> ShiftWords(Vector256<float> words, [ConstantExpected] int count) =>
        Vector256.ShiftRightLogical(words.AsUInt16(), count).AsSingle();

    // 16 of them twice, since each half looks up by itself
    public static VectorPair<Vector256<float>> Table(ReadOnlySpan<byte> bytes) =>
        new(Vector256.Create(Vector128.Create(bytes)).AsSingle(), Vector256.Create(Vector128.Create(bytes[^16..])).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LookUp4(VectorPair<Vector256<float>> table, Vector256<float> bytes) =>
        Avx2.Shuffle(table.First.AsByte(), bytes.AsByte() & Vector256.Create((byte)15)).AsSingle();

    // the lowest four bits choose in either half of the table, the fifth chooses the half
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LookUp5(VectorPair<Vector256<float>> table, Vector256<float> bytes)
    {
        Vector256<byte> codes = bytes.AsByte() & Vector256.Create((byte)15), half = Vector256.ShiftLeft(bytes.AsInt16(), 3).AsByte();
        return Avx2.BlendVariable(Avx2.Shuffle(table.First.AsByte(), codes), Avx2.Shuffle(table.Second.AsByte(), codes), half).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> JoinBits(Vector256<float> low, Vector256<float> high) =>
        Vector256.ConditionalSelect(Vector256.Create((byte)7), low.AsByte(), high.AsByte()).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MultiplyBytes(Vector256<float> levels, Vector256<float> x) =>
        Avx2.MultiplyAddAdjacent(levels.AsByte(), x.AsSByte()).AsSingle();

    public static Vector256<float> AddWords(Vector256<float> left, Vector256<float> right) => (left.AsInt16() + right.AsInt16()).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> AddPairs(Vector256<float> sums, Vector256<float> words) =>
        (sums.AsInt32() + Avx2.MultiplyAddAdjacent(words.AsInt16(), Vector256<short>.One)).AsSingle();

    public static void StoreRounded(Vector256<float> first, Vector256<float> second, short* destination) => Vector256.Narrow(
        Vector256.ConvertToInt32Native(Vector256.Round(first)), Vector256.ConvertToInt32Native(Vector256.Round(second))).Store(destination);

    public static void StoreSBytes(Vector256<float> values, sbyte* destination)
    {
        Vector256<int> integers = Vector256.ConvertToInt32Native(values);
        Vector128<short> words = Vector128.Narrow(integers.GetLower(), integers.GetUpper());
        Vector128.Narrow(words, words).GetLower().Store(destination);
    }

    public static Vector256<float> Round(Vector256<float> values) => Vector256.Round(values);

    private static Vector256<int> WidenToInt32(short* source) => Avx2.ConvertToVector256Int32(Vector128.Load(source));

    // The half in the upper bits: its exponent and fraction stand 3 bits lower in a float.
    private static Vector256<float> Placed(Vector256<int> halves) =>
        (Vector256.ShiftRightArithmetic(halves, 3) & Vector256.Create(unchecked((int)0x8FFFE000))).AsSingle();

    // The half's sign, and its exponent and fraction where a float's stand, among other bits. The exponents' zeros lie 112 apart, which makes a normal
    // half what it is, but a subnormal one, whose first bit counts, too great: it is twice that less what this bit is worth, which is less for
    // subnormal halves only.
    private static Vector256<float> Widened(Vector256<int> sign, Vector256<int> placed)
    {
        Vector256<float> normal = ((placed & Vector256.Create(0x0FFFE000)) + Vector256.Create(112 << 23)).AsSingle();
        Vector256<float> subnormal = Vector256.FusedMultiplyAdd(normal, Vector256.Create(2f), Vector256.Create(-Float16Format.LeastNormal));
        return Vector256.ConditionalSelect(Vector256.Create(int.MinValue), sign, Vector256.MinNative(normal, subnormal).AsInt32()).AsSingle();
    }
}

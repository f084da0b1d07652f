using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace PicoGpt.Numerics;

/// <summary>16 floats at a time.</summary>
internal readonly unsafe struct Width512 : IWidth<Vector512<float>>
{
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

    // The processor's minimum and maximum take their second operand where one is no number.
    public static Vector512<float> Clamp(Vector512<float> value, Vector512<float> least, Vector512<float> greatest) =>
        Vector512.MinNative(greatest, Vector512.MaxNative(least, value));

    // As integers, the bits of floats without a sign are in the order of their values.
    public static Vector512<float> MaxMagnitude(Vector512<float> most, Vector512<float> value) =>
        Vector512.Max(most.AsInt32(), value.AsInt32() & Vector512.Create(int.MaxValue)).AsSingle();

    public static Vector512<float> FusedMultiplyAdd(Vector512<float> left, Vector512<float> right, Vector512<float> addend) =>
        Vector512.FusedMultiplyAdd(left, right, addend);

    public static Vector512<float> SquareRoot(Vector512<float> value) => Vector512.Sqrt(value);

    public static Vector512<float> PowerOfTwo(Vector512<float> exponent) =>
        Vector512.ShiftLeft(Vector512.ConvertToInt32Native(exponent) + Vector512.Create(127), 23).AsSingle();

    public static void LoadHalves(uint* source, out Vector512<float> lower, out Vector512<float> upper)
    {
        Vector512<int> pairs = Vector512.Load((int*)source);
        lower = Placed(Vector512.ShiftLeft(pairs, 16));
        upper = Placed(pairs);
    }

    public static void WidenHalves(uint* source, out Vector512<float> lower, out Vector512<float> upper)
    {
        Vector512<int> pairs = Vector512.Load((int*)source);
        lower = Widened(Vector512.ShiftLeft(pairs, 16), Vector512.ShiftLeft(pairs, 13));
        upper = Widened(pairs, Vector512.ShiftRightLogical(pairs, 3));
    }

    public static void LoadBFloat16s(uint* source, out Vector512<float> lower, out Vector512<float> upper)
    {
        Vector512<int> pairs = Vector512.Load((int*)source);
        lower = Vector512.ShiftLeft(pairs, 16).AsSingle();
        upper = (pairs & Vector512.Create(unchecked((int)0xFFFF0000))).AsSingle();
    }

    public static Vector512<float> LoadBFloat16(ushort* source) => Vector512.ShiftLeft(WidenToInt32((short*)source), 16).AsSingle();

    public static Vector512<float> LoadShorts(short* source) => Vector512.ConvertToSingle(WidenToInt32(source));

    public static Vector512<float> BroadcastPair(short* pair) => Vector512.Create(*(int*)pair).AsSingle();

    public static Vector512<float> LoadSBytes(sbyte* source) => Avx512BW.ConvertToVector512Int16(Vector256.Load(source)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> AddProducts(Vector512<float> sums, Vector512<float> words, Vector512<float> pairs) =>
        (sums.AsInt32() + Avx512BW.MultiplyAddAdjacent(words.AsInt16(), pairs.AsInt16())).AsSingle();

    public static Vector512<float> AddIntegers(Vector512<float> left, Vector512<float> right) => (left.AsInt32() + right.AsInt32()).AsSingle();

    public static Vector512<float> ConvertToSingle(Vector512<float> sums) => Vector512.ConvertToSingle(sums.AsInt32());

    public static Vector512<float> ShiftWords(Vector512<float> words, [ConstantExpected] int count) =>
        Vector512.ShiftRightLogical(words.AsUInt16(), count).AsSingle();

    // Six bits of a byte choose among 64, whatever the others are, so the table stands there two or four times. Without that instruction each
    // quarter looks up by itself among 16.
    public static VectorPair<Vector512<float>> Table(ReadOnlySpan<byte> bytes)
    {
        Vector512<byte> lower = Vector512.Create(Vector128.Create(bytes)), upper = Vector512.Create(Vector128.Create(bytes[^16..]));
        if (Avx512Vbmi.IsSupported && bytes.Length == 32) lower = Vector512.Create(Vector256.Create(bytes));
        return new VectorPair<Vector512<float>>(lower.AsSingle(), upper.AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LookUp4(VectorPair<Vector512<float>> table, Vector512<float> bytes) => Avx512Vbmi.IsSupported
        ? Avx512Vbmi.PermuteVar64x8(table.First.AsByte(), bytes.AsByte()).AsSingle()
        : Avx512BW.Shuffle(table.First.AsByte(), bytes.AsByte() & Vector512.Create((byte)15)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LookUp5(VectorPair<Vector512<float>> table, Vector512<float> bytes)
    {
        if (Avx512Vbmi.IsSupported) return Avx512Vbmi.PermuteVar64x8(table.First.AsByte(), bytes.AsByte()).AsSingle();
        Vector512<byte> codes = bytes.AsByte() & Vector512.Create((byte)15);
        Vector512<byte> isLower = Vector512.Equals(bytes.AsByte() & Vector512.Create((byte)16), Vector512<byte>.Zero);
        return Vector512.ConditionalSelect(
            isLower, Avx512BW.Shuffle(table.First.AsByte(), codes), Avx512BW.Shuffle(table.Second.AsByte(), codes)).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> JoinBits(Vector512<float> low, Vector512<float> high) =>
        Vector512.ConditionalSelect(Vector512.Create((byte)7), low.AsByte(), high.AsByte()).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> MultiplyBytes(Vector512<float> levels, Vector512<float> x) =>
        Avx512BW.MultiplyAddAdjacent(levels.AsByte(), x.AsSByte()).AsSingle();

    public static Vector512<float> AddWords(Vector512<float> left, Vector512<float> right) => (left.AsInt16() + right.AsInt16()).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> AddPairs(Vector512<float> sums, Vector512<float> words) =>
        (sums.AsInt32() + Avx512BW.MultiplyAddAdjacent(words.AsInt16(), Vector512<short>.One)).AsSingle();

    public static void StoreRounded(Vector512<float> first, Vector512<float> second, short* destination) => Vector512.Narrow(
        Vector512.ConvertToInt32Native(Vector512.Round(first)), Vector512.ConvertToInt32Native(Vector512.Round(second))).Store(destination);

    public static void StoreSBytes(Vector512<float> values, sbyte* destination) =>
        Avx512F.ConvertToVector128SByte(Vector512.ConvertToInt32Native(values)).Store(destination);

    public static Vector512<float> Round(Vector512<float> values) => Vector512.Round(values);

    private static Vector512<int> WidenToInt32(short* source) => Avx512F.ConvertToVector512Int32(Vector256.Load(source));

    // The half in the upper bits: its exponent and fraction stand 3 bits lower in a float.
    private static Vector512<float> Placed(Vector512<int> halves) =>
        (Vector512.ShiftRightArithmetic(halves, 3) & Vector512.Create(unchecked((int)0x8FFFE000))).AsSingle();

    // The half's sign, and its exponent and fraction where a float's stand, among other bits. The exponents' zeros lie 112 apart, which makes a normal
    // half what it is, but a subnormal one, whose first bit counts, too great: it is twice that less what this bit is worth, which is less for
    // subnormal halves only.
    private static Vector512<float> Widened(Vector512<int> sign, Vector512<int> placed)
    {
        Vector512<float> normal = ((placed & Vector512.Create(0x0FFFE000)) + Vector512.Create(112 << 23)).AsSingle();
        Vector512<float> subnormal = Vector512.FusedMultiplyAdd(normal, Vector512.Create(2f), Vector512.Create(-Float16Format.LeastNormal));
        return Vector512.ConditionalSelect(Vector512.Create(int.MinValue), sign, Vector512.MinNative(normal, subnormal).AsInt32()).AsSingle();
    }
}

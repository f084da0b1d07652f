using System.Diagnostics.CodeAnalysis;

namespace PicoGpt.Numerics;

/// <summary>
/// What a kernel needs of one vector width. <typeparamref name="TVector"/> holds <see cref="Count"/> floats; every
/// operation works lane by lane, so that no result depends on the width. Where the text says so it holds integers: as many of 32 bits, or
/// twice as many of 16.
/// </summary>
internal unsafe interface IWidth<TVector>
    where TVector : struct
{
    /// <summary>Lanes of a vector: 16, 8 or 4.</summary>
    static abstract int Count { get; }

    static abstract TVector Load(float* source);

    static abstract void Store(TVector vector, float* destination);

    static abstract TVector Broadcast(float value);

    static abstract TVector Add(TVector left, TVector right);

    static abstract TVector Subtract(TVector left, TVector right);

    static abstract TVector Multiply(TVector left, TVector right);

    static abstract TVector Divide(TVector left, TVector right);

    static abstract TVector Max(TVector left, TVector right);

    static abstract TVector Min(TVector left, TVector right);

    /// <summary>A value between two others, or what is no number as it is.</summary>
    static abstract TVector Clamp(TVector value, TVector least, TVector greatest);

    /// <summary>
    /// Of values without their signs the greater, where <paramref name="most"/> has none; what is not a number is greater than all numbers.
    /// </summary>
    static abstract TVector MaxMagnitude(TVector most, TVector value);

    /// <summary><c>left · right + addend</c>, rounded once.</summary>
    static abstract TVector FusedMultiplyAdd(TVector left, TVector right, TVector addend);

    static abstract TVector SquareRoot(TVector value);

    /// <summary>2 to the power of an integral value from −126 to 127.</summary>
    static abstract TVector PowerOfTwo(TVector exponent);

    /// <summary>
    /// Pairs of halves: those in the lower 16 bits, and those in the upper, each divided by 2 to the power of 112, which is what its bits are worth in
    /// the place of a float's.
    /// </summary>
    static abstract void LoadHalves(uint* source, out TVector lower, out TVector upper);

    /// <summary>Pairs of halves: those in the lower 16 bits, and those in the upper. No float on the way is subnormal.</summary>
    static abstract void WidenHalves(uint* source, out TVector lower, out TVector upper);

    /// <summary>Pairs of upper halves of floats: those in the lower 16 bits, and those in the upper.</summary>
    static abstract void LoadBFloat16s(uint* source, out TVector lower, out TVector upper);

    /// <summary>The upper halves of floats.</summary>
    static abstract TVector LoadBFloat16(ushort* source);

    /// <summary>Integers of 16 bits as floats.</summary>
    static abstract TVector LoadShorts(short* source);

    /// <summary>Two integers of 16 bits in each element.</summary>
    static abstract TVector BroadcastPair(short* pair);

    /// <summary>Integers of 8 bits as integers of 16.</summary>
    static abstract TVector LoadSBytes(sbyte* source);

    /// <summary>Adds to each sum of 32 bits the products of both integers of 16 bits there.</summary>
    static abstract TVector AddProducts(TVector sums, TVector words, TVector pairs);

    /// <summary>Sums of integers of 32 bits.</summary>
    static abstract TVector AddIntegers(TVector left, TVector right);

    /// <summary>Integers of 32 bits, rounded to the nearest float.</summary>
    static abstract TVector ConvertToSingle(TVector sums);

    /// <summary>Integers of 16 bits, moved towards the lowest bit.</summary>
    static abstract TVector ShiftWords(TVector words, [ConstantExpected] int count);

    /// <summary>A table of 16 or 32 bytes, for <see cref="LookUp4"/> or <see cref="LookUp5"/>.</summary>
    static abstract VectorPair<TVector> Table(ReadOnlySpan<byte> bytes);

    /// <summary>What the lowest four bits of each byte choose of a table.</summary>
    static abstract TVector LookUp4(VectorPair<TVector> table, TVector bytes);

    /// <summary>What the lowest five bits of each byte choose of a table.</summary>
    static abstract TVector LookUp5(VectorPair<TVector> table, TVector bytes);

    /// <summary>The lowest three bits of each byte of one, the others of another.</summary>
    static abstract TVector JoinBits(TVector low, TVector high);

    /// <summary>Products of bytes without a sign and bytes with one, each two that stand together added in 16 bits, in which they must be in reach.</summary>
    static abstract TVector MultiplyBytes(TVector levels, TVector x);

    /// <summary>Sums of integers of 16 bits.</summary>
    static abstract TVector AddWords(TVector left, TVector right);

    /// <summary>Adds to each sum of 32 bits both integers of 16 bits there.</summary>
    static abstract TVector AddPairs(TVector sums, TVector words);

    /// <summary>Stores values, rounded to the nearest integers of 16 bits, which must be in reach: two vectors, one behind the other.</summary>
    static abstract void StoreRounded(TVector first, TVector second, short* destination);

    /// <summary>Stores integral values as integers of 8 bits, in whose reach they must be.</summary>
    static abstract void StoreSBytes(TVector values, sbyte* destination);

    /// <summary>The nearest integral values.</summary>
    static abstract TVector Round(TVector values);
}

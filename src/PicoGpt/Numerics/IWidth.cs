namespace PicoGpt.Numerics;

/// <summary>
/// What a kernel needs of one vector width. <typeparamref name="TVector"/> holds <see cref="Count"/> floats; every
/// operation works lane by lane, so that no result depends on the width.
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

    /// <summary><c>left · right + addend</c>, rounded once.</summary>
    static abstract TVector FusedMultiplyAdd(TVector left, TVector right, TVector addend);

    static abstract TVector SquareRoot(TVector value);

    /// <summary>2 to the power of an integral value from −126 to 127.</summary>
    static abstract TVector PowerOfTwo(TVector exponent);

    /// <summary>Finite IEEE halves, widened exactly.</summary>
    static abstract TVector LoadHalf(ushort* source);

    /// <summary>The upper halves of floats.</summary>
    static abstract TVector LoadBFloat16(ushort* source);

    /// <summary>Integers of 8 bits.</summary>
    static abstract TVector LoadSByte(sbyte* source);

    /// <summary>The levels of <see cref="Int4Format"/> that the lower and the upper halves of bytes choose.</summary>
    static abstract void LookUpLevels(byte* codes, out TVector lower, out TVector upper);
}

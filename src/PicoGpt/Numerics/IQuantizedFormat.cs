namespace PicoGpt.Numerics;

/// <summary>
/// A block of integers with one scale, a bfloat16, for each column: 32 scales, and behind them strips of some rows. A value is its integer
/// times the scale. Products are computed in integers, which are exact in any order, and scaled once for a block.
/// </summary>
/// <remarks>A strip is multiplied unit by unit: some rows of a vector of columns, and as many integers of x.</remarks>
internal unsafe interface IQuantizedFormat : IPackedFormat
{
    /// <summary>Rows whose integers stand together.</summary>
    static abstract int StripRows { get; }

    /// <summary>Bytes of a strip.</summary>
    static abstract int StripSize { get; }

    /// <summary>The bytes from one column of a strip to the next.</summary>
    static abstract int ColumnSize { get; }

    /// <summary>Rows of a unit, one to three of which are a strip.</summary>
    static abstract int UnitRows { get; }

    /// <summary>Bytes of a unit of 32 columns as <see cref="Store"/> leaves it.</summary>
    static abstract int UnitSize { get; }

    /// <summary>What a unit's integers are greater by than those of the values.</summary>
    static abstract int Bias { get; }

    /// <summary>The greatest integer of x.</summary>
    static abstract int Largest { get; }

    /// <summary>Bytes of an integer of x: 1 or 2.</summary>
    static abstract int IntegerSize { get; }

    /// <summary>How far ahead of what one row of x is multiplied by it is asked for past the caches: what was measured to be fastest.</summary>
    static abstract int BytesAhead { get; }

    /// <summary>The integer of an element, from −127 to 127.</summary>
    static abstract int Level(byte* packed, int row, int column);

    /// <summary>What <see cref="Unit"/> looks integers up in: to be loaded once, before many.</summary>
    static abstract VectorPair<TVector> Table<TWidth, TVector>()
        where TWidth : struct, IWidth<TVector>
        where TVector : struct;

    /// <summary>Some rows' integers, of a strip's columns from the given one on.</summary>
    /// <param name="codes">The first of those columns.</param>
    /// <param name="index">Which unit of the strip.</param>
    /// <param name="table">What <see cref="Table"/> gave.</param>
    static abstract VectorPair<TVector> Unit<TWidth, TVector>(byte* codes, int index, VectorPair<TVector> table)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct;

    /// <summary>Stores a unit where <see cref="Load"/> finds it.</summary>
    static abstract void Store<TWidth, TVector>(VectorPair<TVector> unit, byte* destination)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct;

    /// <summary>Loads a unit that was stored.</summary>
    static abstract VectorPair<TVector> Load<TWidth, TVector>(byte* source)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct;

    /// <summary>As many integers of x as a unit has rows, for all columns.</summary>
    /// <param name="x">[<see cref="UnitRows"/>], each of <see cref="IntegerSize"/>.</param>
    static abstract VectorPair<TVector> Broadcast<TWidth, TVector>(byte* x)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct;

    /// <summary>Adds a unit's products with x to a sum of 32 bits for each column.</summary>
    static abstract TVector Add<TWidth, TVector>(TVector sums, VectorPair<TVector> unit, VectorPair<TVector> x)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct;
}

namespace PicoGpt.Numerics;

/// <summary>
/// A block of integers with one scale, a bfloat16, for each column: 32 scales, and behind them strips of some rows. A value is its integer
/// times the scale. Products are computed in integers, which are exact in any order, and scaled once for a block.
/// </summary>
internal unsafe interface IQuantizedFormat : IPackedFormat
{
    /// <summary>Rows whose integers stand together; a block has an even number of such strips.</summary>
    static abstract int StripRows { get; }

    /// <summary>How far ahead of what one row of x is multiplied by it is asked for: what was measured to be fastest.</summary>
    static abstract int BytesAhead { get; }

    /// <summary>The integer of an element, from −127 to 127.</summary>
    static abstract int Level(byte* packed, int row, int column);

    /// <summary>The bytes from one column of a strip to the next.</summary>
    static abstract int ColumnSize { get; }

    /// <summary>Adds the products of a strip's columns from the given one on with as many integers of x as it has rows.</summary>
    /// <param name="codes">The first of those columns.</param>
    /// <param name="x">[<see cref="StripRows"/>].</param>
    /// <param name="sums">A sum of 32 bits for each of the columns.</param>
    static abstract TVector Add<TWidth, TVector>(byte* codes, short* x, TVector sums)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct;

    /// <summary>Loads a strip's columns from the given one on, from which <see cref="Words"/> and <see cref="Next"/> make its integers.</summary>
    static abstract TVector Codes<TWidth, TVector>(byte* codes)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct;

    /// <summary>The integers of the first two rows as words of 16 bits, both of a column side by side.</summary>
    static abstract TVector Words<TWidth, TVector>(TVector codes)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct;

    /// <summary>What the next two rows of the strip are then the first of.</summary>
    static abstract TVector Next<TWidth, TVector>(TVector codes)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct;
}

namespace PicoGpt.Numerics;

/// <summary>Where the codes of <see cref="LevelFormat{TCodes}"/> stand in a strip of planes, and which levels they choose.</summary>
internal unsafe interface ILevelCodes
{
    /// <inheritdoc cref="IPackedFormat.Rows"/>
    static abstract int Rows { get; }

    /// <inheritdoc cref="IQuantizedFormat.StripRows"/>
    static abstract int StripRows { get; }

    /// <inheritdoc cref="IQuantizedFormat.StripSize"/>
    static abstract int StripSize { get; }

    /// <summary>The 16 or 32 levels from the least to the greatest, each greater by <see cref="LevelCodes.Bias"/>, chosen as <see cref="LevelCodes"/> tells.</summary>
    static abstract ReadOnlySpan<byte> Table { get; }

    /// <summary>Puts a code into a strip that had zeros there.</summary>
    static abstract void Put(byte* strip, int row, int column, int code);

    /// <summary>The code of an element of a strip.</summary>
    static abstract int Code(byte* strip, int row, int column);

    /// <inheritdoc cref="IQuantizedFormat.Unit"/>
    static abstract VectorPair<TVector> Unit<TWidth, TVector>(byte* codes, int index, VectorPair<TVector> table)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct;
}

namespace PicoGpt.Numerics;

/// <summary>How a block of some rows by 32 columns is held in one precision. Every way to read an element gives the same bits.</summary>
internal unsafe interface IPackedFormat
{
    /// <summary>Rows of a block, a multiple of 16.</summary>
    static abstract int Rows { get; }

    /// <summary>Bytes of a block, a multiple of a cache line.</summary>
    static abstract int BlockSize { get; }

    /// <summary>Whether a block is float32 as it is, which needs no unpacking.</summary>
    static virtual bool IsFloat32 => false;

    /// <summary>Packs a block of float32, [rows, 32].</summary>
    static abstract void Pack(float* block, byte* packed);

    /// <summary>One element.</summary>
    static abstract float Element(byte* packed, int row, int column);

    /// <summary>The scales of some columns of a block; anything where the format has none.</summary>
    static abstract TVector Scale<TWidth, TVector>(byte* packed, int column)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct;

    /// <summary>Some columns of a row in the left half of a block, and those 16 columns to the right of them.</summary>
    static abstract void Load<TWidth, TVector>(
        byte* packed, int row, int column, TVector leftScale, TVector rightScale, out TVector left, out TVector right)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct;
}

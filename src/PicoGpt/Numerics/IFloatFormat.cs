namespace PicoGpt.Numerics;

/// <summary>A block of floating-point values, row by row: products are computed in float32.</summary>
internal unsafe interface IFloatFormat : IPackedFormat
{
    /// <summary>Whether a block is float32 as it is, which needs no unpacking.</summary>
    static virtual bool IsFloat32 => false;

    /// <summary>Some columns of a row in the left half of a block, and those 16 columns to the right of them.</summary>
    static abstract void Load<TWidth, TVector>(byte* packed, int row, int column, out TVector left, out TVector right)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct;
}

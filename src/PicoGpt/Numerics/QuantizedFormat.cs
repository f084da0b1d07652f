namespace PicoGpt.Numerics;

/// <summary>A format of integers, with which products are computed in integers.</summary>
internal abstract unsafe class QuantizedFormat : PackedFormat
{
    /// <summary>The integer of an element of a block, from −127 to 127.</summary>
    public abstract int Level(byte* block, int row, int column);

    /// <inheritdoc cref="Kernels.MatMulQuantized"/>
    public abstract void MatMul<TWidth, TVector>(QuantizedMatrix x, PackedMatrix w, float* b, Matrix y, int from, int to)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct;
}

namespace PicoGpt.Numerics;

/// <summary>A format of integers, with which products are computed in integers.</summary>
internal abstract unsafe class QuantizedFormat : PackedFormat
{
    /// <summary>The greatest integer of what is multiplied by it.</summary>
    public abstract int Largest { get; }

    /// <summary>Bytes of such an integer: 1 or 2.</summary>
    public abstract int IntegerSize { get; }

    /// <summary>The integer of an element of a block, from −127 to 127.</summary>
    public abstract int Level(byte* block, int row, int column);

    /// <inheritdoc cref="Kernels.MatMulQuantized"/>
    public abstract void MatMul<TWidth, TVector>(QuantizedMatrix x, PackedMatrix w, float* b, Matrix y, int from, int to)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct;
}

namespace PicoGpt.Numerics;

/// <summary>A format of floating-point values, with which products are computed in float32.</summary>
internal abstract unsafe class FloatFormat : PackedFormat
{
    /// <inheritdoc cref="Kernels.MatMulPacked"/>
    public abstract void MatMul<TWidth, TVector>(Matrix x, PackedMatrix w, float* b, Matrix y, int from, int to)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct;
}

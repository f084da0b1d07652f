using System.Runtime.CompilerServices;

namespace PicoGpt.Numerics;

/// <summary>GELU in its tanh form: <c>½x(1 + tanh(√(2/π)(x + 0.044715x³))) = x · σ(2√(2/π)(x + 0.044715x³))</c>.</summary>
internal readonly struct TanhGelu : IActivationFunction
{
    // √(2/π) and the cubic coefficient, times two
    private const float Linear = 1.5957691216057308f;
    private const float Cubic = 0.071354816272193f;

    public static float Of(float x)
    {
        float inner = x * MathF.FusedMultiplyAdd(x * x, Cubic, Linear);
        return x / (1f + Exponential.Of(-inner));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Of<TWidth, TVector>(TVector x)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct
    {
        TVector inner = TWidth.Multiply(x, TWidth.FusedMultiplyAdd(TWidth.Multiply(x, x), TWidth.Broadcast(Cubic), TWidth.Broadcast(Linear)));
        TVector exponential = Exponential.Of<TWidth, TVector>(TWidth.Multiply(inner, TWidth.Broadcast(-1f)));
        return TWidth.Divide(x, TWidth.Add(TWidth.Broadcast(1f), exponential));
    }
}

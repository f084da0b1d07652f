using System.Runtime.CompilerServices;

namespace PicoGpt.Numerics;

/// <summary>SiLU, or swish: <c>x · σ(x)</c>.</summary>
internal readonly struct Silu : IActivationFunction
{
    public static float Of(float x) => x / (1f + Exponential.Of(-x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Of<TWidth, TVector>(TVector x)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct
    {
        TVector exponential = Exponential.Of<TWidth, TVector>(TWidth.Multiply(x, TWidth.Broadcast(-1f)));
        return TWidth.Divide(x, TWidth.Add(TWidth.Broadcast(1f), exponential));
    }

    public static float Slope(float x)
    {
        float sigmoid = 1f / (1f + Exponential.Of(-x));
        return MathF.FusedMultiplyAdd(x * sigmoid, 1f - sigmoid, sigmoid);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Slope<TWidth, TVector>(TVector x)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct
    {
        TVector one = TWidth.Broadcast(1f);
        TVector sigmoid = TWidth.Divide(one, TWidth.Add(one, Exponential.Of<TWidth, TVector>(TWidth.Multiply(x, TWidth.Broadcast(-1f)))));
        return TWidth.FusedMultiplyAdd(TWidth.Multiply(x, sigmoid), TWidth.Subtract(one, sigmoid), sigmoid);
    }
}

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

    // With s = σ(u), u the inner term, f = x·s and f' = s + x·s(1 − s)·u'.
    public static float Slope(float x)
    {
        float square = x * x;
        float inner = x * MathF.FusedMultiplyAdd(square, Cubic, Linear);
        float sigmoid = 1f / (1f + Exponential.Of(-inner));
        float slope = MathF.FusedMultiplyAdd(square, 3f * Cubic, Linear);
        return MathF.FusedMultiplyAdd(x * sigmoid * (1f - sigmoid), slope, sigmoid);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Slope<TWidth, TVector>(TVector x)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct
    {
        TVector one = TWidth.Broadcast(1f), square = TWidth.Multiply(x, x);
        TVector inner = TWidth.Multiply(x, TWidth.FusedMultiplyAdd(square, TWidth.Broadcast(Cubic), TWidth.Broadcast(Linear)));
        TVector exponential = Exponential.Of<TWidth, TVector>(TWidth.Multiply(inner, TWidth.Broadcast(-1f)));
        TVector sigmoid = TWidth.Divide(one, TWidth.Add(one, exponential));
        TVector slope = TWidth.FusedMultiplyAdd(square, TWidth.Broadcast(3f * Cubic), TWidth.Broadcast(Linear));
        return TWidth.FusedMultiplyAdd(TWidth.Multiply(TWidth.Multiply(x, sigmoid), TWidth.Subtract(one, sigmoid)), slope, sigmoid);
    }
}

using System.Runtime.CompilerServices;

namespace PicoGpt.Numerics;

/// <summary>ReLU: the greater of x and 0.</summary>
internal readonly struct Relu : IActivationFunction
{
    // So large a factor takes every normal number to 1 or below 0.
    private const float Steep = 3e38f;

    public static float Of(float x) => MathF.Max(x, 0f);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Of<TWidth, TVector>(TVector x)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct => TWidth.Max(x, TWidth.Broadcast(0f));

    public static float Slope(float x) => MathF.Min(MathF.Max(x * Steep, 0f), 1f);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Slope<TWidth, TVector>(TVector x)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct =>
        TWidth.Min(TWidth.Max(TWidth.Multiply(x, TWidth.Broadcast(Steep)), TWidth.Broadcast(0f)), TWidth.Broadcast(1f));
}

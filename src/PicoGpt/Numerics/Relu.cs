using System.Runtime.CompilerServices;

namespace PicoGpt.Numerics;

/// <summary>ReLU: the greater of x and 0.</summary>
internal readonly struct Relu : IActivationFunction
{
    public static float Of(float x) => MathF.Max(x, 0f);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Of<TWidth, TVector>(TVector x)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct => TWidth.Max(x, TWidth.Broadcast(0f));
}

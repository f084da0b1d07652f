using System.Runtime.CompilerServices;

namespace PicoGpt.Numerics;

/// <summary>
/// <c>eˣ</c> for float32, the same bits at every vector width. The argument is split as <c>x = n·ln 2 + r</c>, |r| ≤ ½ ln 2;
/// <c>eʳ</c> is its Taylor polynomial of degree 7 (error below a tenth of a unit in the last place), times <c>2ⁿ</c>.
/// Arguments are clamped so that the result stays normal and finite.
/// </summary>
internal static class Exponential
{
    /// <summary>The least argument whose exponential is a normal float.</summary>
    public const float MinArgument = -87.33654f;

    /// <summary>The greatest argument whose power of two is finite.</summary>
    public const float MaxArgument = 88.37626f;

    private const float Log2E = 1.44269504f;

    // ln 2 in two parts; the first has few enough bits that n · Ln2High is exact.
    private const float Ln2High = 0.693359375f;
    private const float Ln2Low = -2.12194440e-4f;

    // Adding and taking away 1.5 · 2²³ rounds to the nearest integer.
    private const float Rounder = 12582912f;

    private const float C7 = 1f / 5040;
    private const float C6 = 1f / 720;
    private const float C5 = 1f / 120;
    private const float C4 = 1f / 24;
    private const float C3 = 1f / 6;
    private const float C2 = 1f / 2;

    public static float Of(float x)
    {
        x = MathF.Min(MathF.Max(x, MinArgument), MaxArgument);
        float n = MathF.FusedMultiplyAdd(x, Log2E, Rounder) - Rounder;
        float r = MathF.FusedMultiplyAdd(n, -Ln2High, x);
        r = MathF.FusedMultiplyAdd(n, -Ln2Low, r);
        float p = MathF.FusedMultiplyAdd(C7, r, C6);
        p = MathF.FusedMultiplyAdd(p, r, C5);
        p = MathF.FusedMultiplyAdd(p, r, C4);
        p = MathF.FusedMultiplyAdd(p, r, C3);
        p = MathF.FusedMultiplyAdd(p, r, C2);
        p = MathF.FusedMultiplyAdd(p, r, 1f);
        p = MathF.FusedMultiplyAdd(p, r, 1f);
        return p * BitConverter.Int32BitsToSingle(((int)n + 127) << 23);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)] // into loops that are compiled with all optimizations at once, as this would not be
    public static TVector Of<TWidth, TVector>(TVector x)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct
    {
        TVector one = TWidth.Broadcast(1f);
        x = TWidth.Clamp(x, TWidth.Broadcast(MinArgument), TWidth.Broadcast(MaxArgument));
        TVector n = TWidth.Subtract(
            TWidth.FusedMultiplyAdd(x, TWidth.Broadcast(Log2E), TWidth.Broadcast(Rounder)), TWidth.Broadcast(Rounder));
        TVector r = TWidth.FusedMultiplyAdd(n, TWidth.Broadcast(-Ln2High), x);
        r = TWidth.FusedMultiplyAdd(n, TWidth.Broadcast(-Ln2Low), r);
        TVector p = TWidth.FusedMultiplyAdd(TWidth.Broadcast(C7), r, TWidth.Broadcast(C6));
        p = TWidth.FusedMultiplyAdd(p, r, TWidth.Broadcast(C5));
        p = TWidth.FusedMultiplyAdd(p, r, TWidth.Broadcast(C4));
        p = TWidth.FusedMultiplyAdd(p, r, TWidth.Broadcast(C3));
        p = TWidth.FusedMultiplyAdd(p, r, TWidth.Broadcast(C2));
        p = TWidth.FusedMultiplyAdd(p, r, one);
        p = TWidth.FusedMultiplyAdd(p, r, one);
        return TWidth.Multiply(p, TWidth.PowerOfTwo(n));
    }
}

using System.Runtime.CompilerServices;

namespace PicoGpt.Numerics;

/// <summary>The loops of one activation.</summary>
internal sealed unsafe class ActivationFunctionOf<TFunction> : ActivationFunction
    where TFunction : struct, IActivationFunction
{
    public override void Apply(float* x, int count)
    {
        for (int i = 0; i < count; i++) x[i] = TFunction.Of(x[i]);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Apply<TWidth, TVector>(float* x, int count)
    {
        int i = 0;
        for (; i + TWidth.Count <= count; i += TWidth.Count) TWidth.Store(TFunction.Of<TWidth, TVector>(TWidth.Load(x + i)), x + i);
        for (; i < count; i++) x[i] = TFunction.Of(x[i]);
    }

    public override void ApplyBackward(float* x, float* dy, int count)
    {
        for (int i = 0; i < count; i++) dy[i] *= TFunction.Slope(x[i]);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void ApplyBackward<TWidth, TVector>(float* x, float* dy, int count)
    {
        int i = 0;
        for (; i + TWidth.Count <= count; i += TWidth.Count)
            TWidth.Store(TWidth.Multiply(TWidth.Load(dy + i), TFunction.Slope<TWidth, TVector>(TWidth.Load(x + i))), dy + i);
        for (; i < count; i++) dy[i] *= TFunction.Slope(x[i]);
    }
}

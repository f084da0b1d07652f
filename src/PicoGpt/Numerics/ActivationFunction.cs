namespace PicoGpt.Numerics;

/// <summary>What is done to hidden values: the one place that tells which loops an activation has.</summary>
internal abstract unsafe class ActivationFunction
{
    private static readonly ActivationFunction GeluTanh = new ActivationFunctionOf<TanhGelu>();
    private static readonly ActivationFunction Gelu = new ActivationFunctionOf<ErfGelu>();
    private static readonly ActivationFunction Relu = new ActivationFunctionOf<Relu>();
    private static readonly ActivationFunction Silu = new ActivationFunctionOf<Silu>();

    /// <exception cref="ArgumentOutOfRangeException">There is no such activation.</exception>
    public static ActivationFunction Of(Gpt2Activation activation) => activation switch
    {
        Gpt2Activation.GeluTanh => GeluTanh,
        Gpt2Activation.Gelu => Gelu,
        Gpt2Activation.Relu => Relu,
        Gpt2Activation.Silu => Silu,
        _ => throw new ArgumentOutOfRangeException(nameof(activation), activation, "There is no such activation."),
    };

    /// <summary>In place, one value after another.</summary>
    public abstract void Apply(float* x, int count);

    /// <summary>In place, a vector at a time.</summary>
    public abstract void Apply<TWidth, TVector>(float* x, int count)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct;

    /// <summary><c>dy *= f'(x)</c>, one value after another.</summary>
    public abstract void ApplyBackward(float* x, float* dy, int count);

    /// <summary><c>dy *= f'(x)</c>, a vector at a time.</summary>
    public abstract void ApplyBackward<TWidth, TVector>(float* x, float* dy, int count)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct;
}

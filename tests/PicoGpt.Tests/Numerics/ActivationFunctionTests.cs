using PicoGpt.Numerics;
using PicoGpt.Tests.Inference;
using Xunit;

namespace PicoGpt.Tests.Numerics;

public sealed unsafe class ActivationFunctionTests
{
    private static readonly float[] Special =
    [
        0f, -0f, float.Epsilon, -float.Epsilon, 1e-38f, -1e-38f, 1e-20f, 13f, -13f, 13.0001f, -13.0001f, 88f, -88f, 89f, -89f, 1e19f, -1e19f,
        float.MaxValue, float.MinValue, float.PositiveInfinity, float.NegativeInfinity, float.NaN,
    ];

    public static TheoryData<Gpt2Activation> Activations => [.. Enum.GetValues<Gpt2Activation>()];

    [Theory]
    [MemberData(nameof(Activations))]
    public void Every_vector_width_gives_the_bits_of_the_plain_loop(Gpt2Activation activation)
    {
        float[] values = [.. Special, .. Enumerable.Range(0, 20_011).Select(i => (i - 10_000) * 0.00173f), .. Special];
        float[] expected = Apply(new PlainKernels(), activation, values);
        foreach (Kernels kernels in Kernels.All)
        {
            float[] actual = Apply(kernels, activation, values);
            for (int i = 0; i < values.Length; i++)
            {
                bool isSame = float.IsNaN(expected[i]) ? float.IsNaN(actual[i]) : BitConverter.SingleToInt32Bits(expected[i]) == BitConverter.SingleToInt32Bits(actual[i]);
                Assert.True(isSame, $"{activation}({values[i]:R}) is {actual[i]:R} at width {kernels.Name}, {expected[i]:R} in the plain loop");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Activations))]
    public void It_agrees_with_its_definition(Gpt2Activation activation)
    {
        float[] values = [.. Enumerable.Range(0, 160_001).Select(i => (i - 80_000) * 0.000311f)];
        float[] actual = Apply(new PlainKernels(), activation, values);
        for (int i = 0; i < values.Length; i++)
        {
            double exact = Exact(activation, values[i]);
            Assert.True(Math.Abs(actual[i] - exact) <= 2e-7 * Math.Max(1, Math.Abs(values[i])), $"{activation}({values[i]:R}) = {actual[i]:R}, exactly {exact:R}");
        }
    }

    [Theory]
    [MemberData(nameof(Activations))]
    public void Its_slope_agrees_with_central_differences_of_its_definition(Gpt2Activation activation)
    {
        float[] values = [.. Enumerable.Range(0, 4_001).Select(i => (i - 2_000) * 0.00511f).Where(x => x != 0)], actual = [.. values.Select(_ => 1f)];
        fixed (float* x = values, dy = actual) new PlainKernels().ActivateBackward(ActivationFunction.Of(activation), x, dy, values.Length);
        for (int i = 0; i < values.Length; i++)
        {
            double expected = (Exact(activation, values[i] + 1e-4) - Exact(activation, values[i] - 1e-4)) / 2e-4;
            Assert.True(Math.Abs(actual[i] - expected) <= 2e-6, $"{activation}'({values[i]:R}) = {actual[i]:R}, by differences {expected:R}");
        }
    }

    [Fact]
    public void The_exact_Gelu_loses_little_of_its_small_negative_values()
    {
        float[] values = [.. Enumerable.Range(1, 120_000).Select(i => i * -0.0001f)];
        float[] actual = Apply(new PlainKernels(), Gpt2Activation.Gelu, values);
        for (int i = 0; i < values.Length; i++)
            Assert.Equal(1, actual[i] / Exact(Gpt2Activation.Gelu, values[i]), 5e-6);
    }

    [Fact]
    public void The_normal_distribution_of_the_tests_is_that_of_the_tables()
    {
        Assert.Equal(0.5, NormalDistribution.Of(0), 1e-15);
        Assert.Equal(0.8413447460685429, NormalDistribution.Of(1), 1e-14);
        Assert.Equal(1, NormalDistribution.Of(-2) / 0.0227501319481792, 1e-12);
        Assert.Equal(1, NormalDistribution.Of(-3) / 0.00134989803163009, 1e-12);
        Assert.Equal(1, NormalDistribution.Of(-6) / 9.86587645037698e-10, 1e-12);
    }

    [Fact]
    public void What_is_no_activation_is_refused() => Assert.Throws<ArgumentOutOfRangeException>(() => ActivationFunction.Of((Gpt2Activation)99));

    /// <summary>What mathematics says.</summary>
    internal static double Exact(Gpt2Activation activation, double x) => activation switch
    {
        Gpt2Activation.GeluTanh => 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x)))),
        Gpt2Activation.Gelu => x * NormalDistribution.Of(x),
        Gpt2Activation.Relu => Math.Max(x, 0),
        Gpt2Activation.Silu => x / (1 + Math.Exp(-x)),
        _ => throw new ArgumentOutOfRangeException(nameof(activation)),
    };

    private static float[] Apply(Kernels kernels, Gpt2Activation activation, float[] values)
    {
        float[] result = [.. values];
        fixed (float* x = result) kernels.Activate(ActivationFunction.Of(activation), x, result.Length);
        return result;
    }
}

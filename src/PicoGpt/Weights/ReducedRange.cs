using System.Numerics.Tensors;
using PicoGpt.Checkpoints;

namespace PicoGpt.Weights;

/// <summary>Refuses values for which there is no place in fewer bits: they would become others, and what is computed would not show it.</summary>
internal static class ReducedRange
{
    private const float MaxFloat16 = 65504;

    // The scale of a block is a float16, and its largest value 127 of it.
    private const float MaxQ8_0 = 127 * MaxFloat16;

    /// <summary>What of a weight has no place in a precision in which the model is to run.</summary>
    /// <returns>The fault, or <see langword="null"/>.</returns>
    public static Gpt2Exception? FaultOf(string weight, ReadOnlySpan<float> values, Gpt2Precision precision) =>
        FaultOf(weight, values, precision.ToString(), precision == Gpt2Precision.Float16 ? MaxFloat16 : float.MaxValue);

    /// <summary>What of a weight has no place in a type in which it is to be written.</summary>
    /// <returns>The fault, or <see langword="null"/>.</returns>
    public static Gpt2Exception? FaultOf(string weight, ReadOnlySpan<float> values, TensorDescription written)
    {
        if (written.Quantization is { } blocks) return FaultOf(weight, values, blocks, MaxQ8_0);
        return written.DType == TensorDType.Float16 ? FaultOf(weight, values, nameof(Gpt2Precision.Float16), MaxFloat16) : null;
    }

    private static Gpt2Exception? FaultOf(string weight, ReadOnlySpan<float> values, string name, float most)
    {
        if (!TensorPrimitives.IsFiniteAll(values))
        {
            return new Gpt2Exception(
                Gpt2Error.NotFinite,
                $"The weight '{weight}' holds values that are infinite or not numbers, for which there is no place in {name}; take another checkpoint of the model.");
        }

        float greatest = most < float.MaxValue && values.Length > 0 ? MathF.Abs(TensorPrimitives.MaxMagnitude(values)) : 0;
        return greatest <= most ? null : new Gpt2Exception(
            Gpt2Error.Unsupported, FormattableString.Invariant($"The weight '{weight}' holds {greatest}, and {name} ends at {most}; take BFloat16 or Float32."));
    }
}

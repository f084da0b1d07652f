using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace PicoGpt.Inference;

/// <summary>
/// Refuses logits that are infinite or not numbers, or all the same. A greatest of them would be found all the same, and be written as a text:
/// the token 0, over and over.
/// </summary>
/// <param name="model">The model whose logits they are.</param>
/// <param name="isChanged">Whether interventions change what passes through; they may make a token impossible by minus infinity.</param>
internal sealed class LogitsCheck(Gpt2Model model, bool isChanged)
{
    private Gpt2Exception? _fault; // found once: every weight is read for it

    /// <summary>Looks at the logits of one row: [n_vocab].</summary>
    /// <returns>What is wrong with them, or <see langword="null"/>.</returns>
    public Gpt2Exception? FaultOf(ReadOnlySpan<float> logits)
    {
        if (AreFinite(logits)) return isChanged || logits.Length == 1 || logits.ContainsAnyExcept(logits[0]) ? null : _fault ??= AllTheSame();
        if (isChanged && float.IsFinite(TensorPrimitives.Max(logits))) return null;
        return _fault ??= Fault(model, $"The logits of {model.Name} are infinite or not numbers", isChanged);
    }

    /// <summary>Refuses numbers that were computed of what passes through a model and are infinite or not numbers.</summary>
    /// <param name="model">The model.</param>
    /// <param name="values">The numbers.</param>
    /// <param name="isChanged">Whether interventions change what passes through; by them numbers may be infinite.</param>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.NotFinite"/>, with the cause.</exception>
    public static void RequireFinite(Gpt2Model model, IEnumerable<double> values, bool isChanged = false)
    {
        if (values.Any(value => isChanged ? double.IsNaN(value) : !double.IsFinite(value)))
            throw Fault(model, $"What passes through {model.Name} is infinite or not a number, and so would be what is computed of it", isChanged);
    }

    /// <summary>The fault of what a model computes, with its cause: every weight is looked at.</summary>
    /// <param name="model">The model.</param>
    /// <param name="what">What is wrong, in words.</param>
    /// <param name="isChanged">Whether interventions change what passes through.</param>
    public static Gpt2Exception Fault(Gpt2Model model, string what, bool isChanged = false) =>
        new(Gpt2Error.NotFinite, $"{what}: {CauseIn(model, isChanged)}.", model.Path);

    // TensorPrimitives.IsFiniteAll would be compiled before a first token, and its library loaded; vectors that every processor has are compiled ahead.
    private static bool AreFinite(ReadOnlySpan<float> values)
    {
        ReadOnlySpan<Vector128<float>> vectors = MemoryMarshal.Cast<float, Vector128<float>>(values);
        Vector128<int> bits = default;
        foreach (Vector128<float> next in vectors) bits |= (next - next).AsInt32(); // 0 of a number, else NaN
        foreach (float rest in values[(vectors.Length * Vector128<float>.Count)..])
        {
            if (!float.IsFinite(rest)) return false;
        }

        return bits == default;
    }

    // A file whose download did not end may have its whole length, and zeros where nothing came.
    private Gpt2Exception AllTheSame()
    {
        string[] zeros = [.. model.Parameters.Where(weight => !weight.Name.EndsWith("/b", StringComparison.Ordinal) && weight is { Min: 0, Max: 0 }).Select(weight => weight.Name)];
        string cause = zeros.Length == 0
            ? "so it tells nothing"
            : $"since {zeros.Length} of its weights, {zeros[0]} among them, hold nothing but zeros; if the download of its file did not end, fetch it again";
        return new Gpt2Exception(Gpt2Error.Corrupt, $"{model.Name} finds every token equally likely, {cause}.", model.Path);
    }

    private static string CauseIn(Gpt2Model model, bool isChanged)
    {
        try
        {
            if (model.Parameters.FirstOrDefault(weight => weight.NaNs + weight.Infinities > 0) is { } weight)
                return FormattableString.Invariant($"its weight {weight.Name} holds such values, {weight.NaNs + weight.Infinities:N0} of {weight.Count:N0}; take another checkpoint of it");
            return "all its weights are numbers, but what "
                + (isChanged ? "passes through, as the interventions change it," : model.Adapter is null ? "passes through" : "passes through with the adapter")
                + " becomes greater than float32 can hold";
        }
        catch (Exception fault) when (fault is Gpt2Exception or ObjectDisposedException or IOException)
        {
            return "a weight holds such values, or what passes through becomes greater than float32 can hold";
        }
    }
}

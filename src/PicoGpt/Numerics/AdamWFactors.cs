namespace PicoGpt.Numerics;

/// <summary>
/// What a step of AdamW multiplies by (I. Loshchilov, F. Hutter, "Decoupled weight decay regularization", 2019; the moments as D. Kingma,
/// J. Ba, "Adam", 2015, with their bias corrected).
/// </summary>
/// <param name="Gradient">What the gradient is multiplied by before all else, which clips it.</param>
/// <param name="Beta1">How much of the first moment stays.</param>
/// <param name="Beta2">How much of the second moment stays.</param>
/// <param name="Rate">The learning rate over the first moment's correction: <c>lr / (1 − β₁ᵗ)</c>.</param>
/// <param name="Correction">The root's correction: <c>1 / √(1 − β₂ᵗ)</c>.</param>
/// <param name="Epsilon">What is added to the root.</param>
/// <param name="Keep">What the weight is multiplied by, <c>1 − lr · decay</c>.</param>
internal readonly record struct AdamWFactors(float Gradient, float Beta1, float Beta2, float Rate, float Correction, float Epsilon, float Keep)
{
    /// <summary>One value's step.</summary>
    public void Apply(ref float w, float g, ref float m, ref float v)
    {
        g *= Gradient;
        m = MathF.FusedMultiplyAdd(Beta1, m, (1f - Beta1) * g);
        v = MathF.FusedMultiplyAdd(Beta2, v, (1f - Beta2) * g * g);
        float root = MathF.FusedMultiplyAdd(MathF.Sqrt(v), Correction, Epsilon);
        w = MathF.FusedMultiplyAdd(-Rate, m / root, w * Keep);
    }
}

using PicoGpt.Numerics;

namespace PicoGpt.Training;

/// <summary>Some values of a weight that are updated together, with their gradient and moments.</summary>
internal readonly unsafe struct WeightPart(float* w, float* g, float* m, float* v, int count, bool decays)
{
    // As much of a weight as a core's second-level cache holds with gradient and moments.
    private const int Length = 1 << 14;

    public float* W { get; } = w;

    public float* G { get; } = g;

    public float* M { get; } = m;

    public float* V { get; } = v;

    public int Count { get; } = count;

    /// <summary>Whether they decay.</summary>
    public bool Decays { get; } = decays;

    /// <summary>Adds the parts of a weight to a list.</summary>
    /// <param name="parts">The list.</param>
    /// <param name="weight">The weight.</param>
    /// <param name="gradient">Its gradient.</param>
    /// <param name="first">The gradient's first moment.</param>
    /// <param name="second">The gradient's second moment.</param>
    /// <param name="decays">Whether it decays.</param>
    public static void Add(List<WeightPart> parts, Matrix weight, Matrix gradient, Matrix first, Matrix second, bool decays)
    {
        long length = (long)weight.Rows * weight.Columns;
        for (long at = 0; at < length; at += Length)
        {
            int count = (int)Math.Min(Length, length - at);
            parts.Add(new WeightPart(weight.Data + at, gradient.Data + at, first.Data + at, second.Data + at, count, decays));
        }
    }
}

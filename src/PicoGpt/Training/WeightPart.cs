namespace PicoGpt.Training;

/// <summary>Some values of a weight that are updated together, with their gradient and moments.</summary>
internal readonly unsafe struct WeightPart(float* w, float* g, float* m, float* v, int count, bool decays)
{
    public float* W { get; } = w;

    public float* G { get; } = g;

    public float* M { get; } = m;

    public float* V { get; } = v;

    public int Count { get; } = count;

    /// <summary>Whether they decay.</summary>
    public bool Decays { get; } = decays;
}

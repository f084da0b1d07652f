namespace PicoGpt.Numerics;

/// <summary>Two vectors, which are to stay in registers: so they are fields.</summary>
internal readonly struct VectorPair<TVector>(TVector first, TVector second)
    where TVector : struct
{
    public readonly TVector First = first;
    public readonly TVector Second = second;
}

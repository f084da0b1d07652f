using PicoGpt.Numerics;

namespace PicoGpt.Adapters;

/// <summary>What an adapter adds to a projection: <c>x·w</c> becomes <c>x·w + (scale · x·aᵀ)·b</c>.</summary>
internal readonly struct LowRankPair(Matrix a, Matrix b, float scale)
{
    /// <summary>[rank, in]; of no rows where the projection has no adapter.</summary>
    public Matrix A { get; } = a;

    /// <summary>[rank, out].</summary>
    public Matrix B { get; } = b;

    /// <summary>What the sum is multiplied by: <c>alpha / rank</c>.</summary>
    public float Scale { get; } = scale;

    /// <summary>Whether the projection has one.</summary>
    public bool IsThere => A.Rows > 0;
}

namespace PicoGpt.Tokens;

/// <summary>What a pair of symbols becomes, and in which turn: the lower rank first.</summary>
internal readonly record struct Merge(int Rank, int Symbol)
{
    /// <summary>No merge: ranked behind every other.</summary>
    public static readonly Merge None = new(int.MaxValue, -1);
}

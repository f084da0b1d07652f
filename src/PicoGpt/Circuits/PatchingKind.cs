namespace PicoGpt.Circuits;

/// <summary>What a sweep patches in turn.</summary>
public enum PatchingKind
{
    /// <summary>The residual stream, or what attention or the mlp adds to it, of each layer at each position.</summary>
    Position,

    /// <summary>What each head of each layer reads, at all positions.</summary>
    Head,

    /// <summary>What each head of each layer reads, at each position.</summary>
    HeadPosition,

    /// <summary>What attention and what the mlp of each layer adds, at all positions.</summary>
    Part,
}

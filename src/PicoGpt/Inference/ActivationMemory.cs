namespace PicoGpt.Inference;

/// <summary>What of that which passes through a model is there after the pass.</summary>
internal enum ActivationMemory
{
    /// <summary>The last block's alone: all blocks use the same memory in turn.</summary>
    Reused,

    /// <summary>The residual stream before every block, from which the rest can be computed again.</summary>
    Residual,

    /// <summary>All of it, as a backward pass needs it.</summary>
    Kept,
}

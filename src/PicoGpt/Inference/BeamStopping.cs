namespace PicoGpt.Inference;

/// <summary>When a beam search ends that has found as many ended texts as it has beams (transformers' <c>early_stopping</c>).</summary>
public enum BeamStopping
{
    /// <summary>
    /// When no beam that continues could be better than the worst of the ended texts, if it ended now with the best sum of them all (<c>False</c>).
    /// </summary>
    Heuristic,

    /// <summary>At once (<c>True</c>).</summary>
    AtOnce,

    /// <summary>
    /// When no beam that continues can be better any more, at whatever length that a positive length penalty favours (<c>"never"</c>).
    /// </summary>
    Never,
}

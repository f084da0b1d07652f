namespace PicoGpt.Inference;

/// <summary>What to do when the context is full.</summary>
public enum ContextOverflow
{
    /// <summary>End with <see cref="FinishReason.Length"/>.</summary>
    Stop,

    /// <summary>
    /// Forget all but the last half of the context, read that half again (which costs as much as a prompt of that
    /// length, once every <c>n_ctx / 2</c> tokens), and continue.
    /// </summary>
    Slide,
}

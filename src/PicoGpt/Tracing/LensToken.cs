namespace PicoGpt.Tracing;

/// <summary>A token that a layer would say next.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Text">Its text by itself; a part of a character is U+FFFD.</param>
/// <param name="Logit">Its logit.</param>
/// <param name="Probability">Its probability, from 0 to 1: the softmax over the whole vocabulary.</param>
public sealed record LensToken(int Id, string Text, float Logit, double Probability)
{
    /// <inheritdoc/>
    public override string ToString() => Text;
}

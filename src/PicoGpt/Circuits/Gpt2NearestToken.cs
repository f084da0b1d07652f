namespace PicoGpt.Circuits;

/// <summary>A token near a direction.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Text">Its text by itself; a part of a character is U+FFFD.</param>
/// <param name="Similarity">The cosine between its row of the output projection and the direction, from -1 to 1.</param>
/// <param name="Logit">What the direction adds to its logit before the last layer norm: the scalar product.</param>
public sealed record Gpt2NearestToken(int Id, string Text, double Similarity, double Logit)
{
    /// <inheritdoc/>
    public override string ToString() => Text;
}

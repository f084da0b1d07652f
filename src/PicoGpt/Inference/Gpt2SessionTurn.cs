namespace PicoGpt.Inference;

/// <summary>A part of a text that a person and a model write in turns.</summary>
/// <param name="Text">What was added to the text.</param>
/// <param name="Completion">What the model made of it; <see langword="null"/> for what the person wrote.</param>
public sealed record Gpt2SessionTurn(string Text, Gpt2Completion? Completion)
{
    /// <summary>Whether the model wrote it.</summary>
    public bool IsByModel => Completion is not null;

    /// <inheritdoc/>
    public override string ToString() => Text;
}

namespace PicoGpt.Inference;

/// <summary>A piece of a text that is being generated: whole characters only. It prints as its text.</summary>
public sealed record Gpt2Piece
{
    /// <summary>The name of the model.</summary>
    public required string Model { get; init; }

    /// <summary>The number of the prompt among those of the command, from 0.</summary>
    public required int PromptIndex { get; init; }

    /// <summary>The prompt.</summary>
    public required string Prompt { get; init; }

    /// <summary>The piece's place among those of its prompt, from 0.</summary>
    public required int Position { get; init; }

    /// <summary>The text of the piece; the last may be empty.</summary>
    public required string Text { get; init; }

    /// <summary>Why the text ends, with its last piece; <see cref="FinishReason.None"/> before.</summary>
    public FinishReason FinishReason { get; init; }

    /// <summary>What stands before the piece in its line: of the prompt and of the pieces before.</summary>
    internal string LineBefore { get; init; } = "";

    /// <summary>The piece's text.</summary>
    /// <returns><see cref="Text"/>.</returns>
    public override string ToString() => Text;
}

using PicoGpt.Inference;

namespace PicoGpt.PowerShell;

/// <summary>Makes objects of the pieces of a text that is being generated.</summary>
internal sealed class PieceWriter(TextGeneration generation, string model, int promptIndex)
{
    private string _line = LastLine(generation.Prompt);
    private int _count;
    private bool _isFinished;

    /// <summary>The next piece.</summary>
    public Gpt2Piece Next(string text)
    {
        FinishReason reason = generation.IsFinished ? generation.Completion.FinishReason : FinishReason.None;
        _isFinished = reason != FinishReason.None;
        var piece = new Gpt2Piece
        {
            Model = model,
            PromptIndex = promptIndex,
            Prompt = generation.Prompt,
            Position = _count++,
            Text = text,
            FinishReason = reason,
            LineBefore = _line,
        };
        _line = LastLine(_line + text);
        return piece;
    }

    /// <summary>A piece without text that tells why the text ended, where none has told it.</summary>
    public Gpt2Piece? Last() => _isFinished ? null : Next("");

    private static string LastLine(string text) => text[(text.LastIndexOf('\n') + 1)..];
}

using System.Text;
using PicoGpt.Tokens;

namespace PicoGpt.Inference;

/// <summary>
/// Makes the text of tokens as they come: whole characters only, and nothing that may turn out to begin a stop string. What is held back
/// is certain when the text ends. Special tokens mark a text and are not part of it; one whose spelling is a stop string ends it.
/// </summary>
internal sealed class TextCollector(Tokenizer encoder, IReadOnlyList<string> stop, bool keepSpecial)
{
    private readonly StreamingDecoder _decoder = new(encoder);
    private readonly StopScanner _scanner = new(stop);
    private readonly StringBuilder _text = new();
    private int _given;
    private bool _isStopped;

    /// <summary>The text that is certain.</summary>
    public string Text => _text.ToString();

    /// <summary>Whether a stop string came; the text ends before it.</summary>
    public bool Stopped => _isStopped || _scanner.Stopped;

    /// <summary>Takes the next token.</summary>
    public void Append(int id)
    {
        if (keepSpecial || !encoder.IsSpecial(id)) _text.Append(_scanner.Append(_decoder.Append(id)));
        else if (stop.Contains(encoder.GetText(id))) Stop();
    }

    /// <summary>Ends the text, also within a character.</summary>
    public void Finish()
    {
        _text.Append(_scanner.Append(_decoder.Flush()));
        Release();
    }

    /// <summary>Lets go of what was held back because it might begin a stop string.</summary>
    public void Release() => _text.Append(_scanner.Flush());

    /// <summary>The text that has become certain since the last call.</summary>
    public string TakePiece()
    {
        string piece = _text.ToString(_given, _text.Length - _given);
        _given = _text.Length;
        return piece;
    }

    private void Stop()
    {
        Finish();
        _isStopped = true;
    }
}

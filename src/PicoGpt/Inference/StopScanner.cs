using System.Text;

namespace PicoGpt.Inference;

/// <summary>
/// Watches a stream of text for stop strings. What might be the beginning of one is held back until it is certain.
/// </summary>
internal sealed class StopScanner(IReadOnlyList<string> stop)
{
    private readonly StringBuilder _held = new();

    /// <summary>Whether a stop string came; no text passes after it.</summary>
    public bool Stopped { get; private set; }

    /// <summary>Takes a piece of text and gives what may pass.</summary>
    public string Append(string piece)
    {
        if (stop.Count == 0) return piece;
        if (Stopped) return "";
        string text = _held.Append(piece).ToString();
        int end = stop.Select(s => text.IndexOf(s, StringComparison.Ordinal)).Where(i => i >= 0).DefaultIfEmpty(-1).Min();
        Stopped = end >= 0;
        if (!Stopped) end = text.Length - stop.Max(s => LongestBeginningAtEnd(text, s));
        _held.Clear();
        if (!Stopped) _held.Append(text.AsSpan(end));
        return text[..end];
    }

    /// <summary>What is still held back when the text ends.</summary>
    public string Flush()
    {
        string text = _held.ToString();
        _held.Clear();
        return text;
    }

    private static int LongestBeginningAtEnd(string text, string stop)
    {
        for (int length = Math.Min(stop.Length - 1, text.Length); length > 0; length--)
        {
            if (text.AsSpan(text.Length - length).SequenceEqual(stop.AsSpan(0, length))) return length;
        }

        return 0;
    }
}

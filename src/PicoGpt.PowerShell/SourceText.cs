namespace PicoGpt.PowerShell;

/// <summary>A text that a command takes, and where it is from.</summary>
/// <param name="Text">The text.</param>
internal sealed record SourceText(string Text)
{
    /// <summary>The full path of the file that it is from, if any.</summary>
    public string? Path { get; init; }

    /// <summary>The number of its first line in that file, from 1; 0 where the text is the whole file, or its place is not known.</summary>
    public int Line { get; init; }

    /// <summary>The ids that it was given as, if it was.</summary>
    public IReadOnlyList<int>? Ids { get; init; }

    /// <summary>The object of the pipeline that it is from, if any.</summary>
    public TextInput? Input { get; init; }
}

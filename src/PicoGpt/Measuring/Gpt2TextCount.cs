namespace PicoGpt.Measuring;

/// <summary>How long a text is to a model.</summary>
public sealed record Gpt2TextCount
{
    /// <summary>The file that the text is from, if any.</summary>
    public string? Path { get; init; }

    /// <summary>The number of its first line in that file, from 1; 0 where the text is the whole file, or its place is not known.</summary>
    public int Line { get; init; }

    /// <summary>What was counted.</summary>
    public required string Text { get; init; }

    /// <summary>Its tokens.</summary>
    public required int TokenCount { get; init; }

    /// <summary>Its words: what stands between white space.</summary>
    public required int WordCount { get; init; }

    /// <summary>Its characters, Unicode's code points.</summary>
    public required int CharacterCount { get; init; }

    /// <summary>Its bytes in UTF-8.</summary>
    public required int ByteCount { get; init; }

    /// <summary>Whether the text went on, and only its first tokens were counted.</summary>
    public required bool IsCut { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{TokenCount} tokens";
}

using System.Management.Automation;

namespace PicoGpt.PowerShell;

/// <summary>What was piped to a command that takes texts: a text, a file that holds one, or a part of one that continues in the next object.</summary>
public sealed class TextInput
{
    internal TextInput(object given) => Given = given;

    /// <summary>The object that was piped.</summary>
    public object Given { get; }

    /// <summary>The text itself; of a completion what was generated.</summary>
    internal string? Text { get; init; }

    /// <summary>What a generation continues: of a completion prompt and text, of a row its prompt.</summary>
    internal string? Prompt { get; init; }

    /// <summary>The path of the file that holds the text.</summary>
    internal string? File { get; init; }

    /// <summary>The bytes of a token or a piece, which is a part of a text.</summary>
    internal byte[]? Part { get; init; }

    /// <summary>The ids of the tokens of the text or part, where they are known.</summary>
    internal IReadOnlyList<int>? Ids { get; init; }

    /// <summary>Whether a part has characters of which it holds only some bytes, so that its ids alone tell what it is.</summary>
    internal bool IsRough { get; init; }

    /// <summary>Whether a part begins a text.</summary>
    internal bool BeginsText { get; init; }

    /// <summary>The path of the file that the text was read from, where <c>Get-Content</c> tells that.</summary>
    internal string? Source { get; init; }

    /// <summary>The number of the text's first line in that file, from 1; 0 where it is not known.</summary>
    internal int Line { get; init; }

    /// <summary>A row of a table, whose other columns are parameters; <see langword="null"/> for anything else.</summary>
    internal PSObject? Row { get; init; }

    /// <summary>The model that a completion or the like was made with: its name alone.</summary>
    internal string? MadeWith { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Given.ToString() ?? "";
}

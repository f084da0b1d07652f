namespace PicoGpt.Tokens;

/// <summary>The ids with which a model's texts begin and end, as far as something tells them.</summary>
/// <param name="Begin">The id before a text's first token (<c>bos_token_id</c>).</param>
/// <param name="Ends">The ids that end a text (<c>eos_token_id</c>).</param>
internal sealed record SpecialIds(int? Begin, IReadOnlyList<int> Ends)
{
    /// <summary>What a file says of them and cannot be, in a sentence; <see langword="null"/> where nothing does.</summary>
    public string? Doubt { get; init; }
}

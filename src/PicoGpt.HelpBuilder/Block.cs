namespace PicoGpt.HelpBuilder;

/// <summary>A block of Markdown.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">Its text, without markup.</param>
/// <param name="Line">Where it begins, counted from 1.</param>
/// <param name="Level">The level of a heading.</param>
internal sealed record Block(BlockKind Kind, string Text, int Line, int Level = 0);

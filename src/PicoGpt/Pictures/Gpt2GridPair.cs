namespace PicoGpt.Pictures;

/// <summary>A grid, and the same one before something was changed.</summary>
/// <param name="Grid">The grid.</param>
/// <param name="Before">The one before, of the same rows and columns; <see langword="null"/> where there is none.</param>
public sealed record Gpt2GridPair(Gpt2Grid Grid, Gpt2Grid? Before = null);
